"""Each twin says how to build it, names the check it must fail, and is wrong in exactly the way it says."""

import inspect
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import reference_modules
from reference_modules import broken
from reference_modules.broken import (
    BatchSoftmax,
    DetachedScale,
    DoubledWeightGradient,
    DropoutInEval,
    InplaceInput,
    MeanBiasGradient,
    PlainTensor,
    SqueezedBatch,
    UnclampedLogLoss,
    WrongRow,
)

MUST_FAIL = {
    "BatchSoftmax": "batch-independence",
    "DetachedScale": "graph-cut",
    "DoubledWeightGradient": "gradient",
    "DropoutInEval": "determinism",
    "InplaceInput": "purity",
    "MeanBiasGradient": "gradient",
    "PlainTensor": "registration",
    "SqueezedBatch": "batch-size-one",
    "UnclampedLogLoss": "extremes",
    "WrongRow": "gradient",
}

EVERY_CLASS = [getattr(reference_modules, name) for name in reference_modules.__all__] + [
    getattr(broken, name) for name in broken.__all__
]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def build(cls: type[nn.Module]) -> nn.Module:
    return cls(**cls.__verifykit__.get("init", {})).double()


def draw_inputs(cls: type[nn.Module]) -> dict[str, Tensor]:
    """Numbers between 0 and 1, which every domain used here admits, in the shapes that the class names."""
    sizes = {"N": 6, "D": 4, **cls.__verifykit__.get("init", {})}
    inputs = {}
    for name, declared in cls.__verifykit__["inputs"].items():
        assert declared.startswith("float[")
        dims = declared[declared.index("[") + 1 : declared.index("]")].split(", ")
        shape = [int(dim) if dim.isdigit() else sizes[dim] for dim in dims]
        inputs[name] = torch.rand(shape, dtype=torch.float64)
    return inputs


@pytest.mark.parametrize("cls", EVERY_CLASS, ids=lambda cls: cls.__name__)
def test_every_module_runs_as_it_declares(cls: type[nn.Module]) -> None:
    inputs = draw_inputs(cls)
    assert list(inputs) == list(inspect.signature(cls.forward).parameters)[1:]
    output = build(cls)(**inputs)
    assert output.dtype == torch.float64
    assert output.isfinite().all()
    assert cls.__doc__


def test_every_twin_is_listed() -> None:
    assert sorted(MUST_FAIL) == broken.__all__


@pytest.mark.parametrize(("name", "check"), MUST_FAIL.items(), ids=MUST_FAIL)
def test_every_twin_names_the_check_that_must_fail(name: str, check: str) -> None:
    assert f"`{check}`" in getattr(broken, name).__doc__


# The gradients: a loss of sum(output * cotangent) has the gradients written out by hand below.


def test_doubled_weight_gradient() -> None:
    module = build(DoubledWeightGradient)
    x = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(6, 3, dtype=torch.float64)
    output = module(x)
    output.backward(cotangent)
    assert torch.allclose(output, F.linear(x, module.weight))
    assert torch.allclose(x.grad, cotangent @ module.weight)
    assert torch.allclose(module.weight.grad, 2 * cotangent.T @ x)


def test_wrong_row() -> None:
    module = build(WrongRow)
    x = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(6, 4, dtype=torch.float64)
    output = module(x)
    output.backward(cotangent)
    true_gradient = cotangent.T @ x
    assert torch.allclose(output, F.linear(x, module.weight))
    assert torch.allclose(x.grad, cotangent @ module.weight)
    assert torch.allclose(module.weight.grad[:3], true_gradient[:3])
    assert torch.allclose(module.weight.grad[3], true_gradient[1])
    assert not torch.isclose(module.weight.grad[3], true_gradient[3]).any()


def test_wrong_row_is_right_when_no_row_is_left_over() -> None:
    module = WrongRow(5, 6)
    x = torch.randn(8, 5)
    cotangent = torch.randn(8, 6)
    module(x).backward(cotangent)
    assert torch.allclose(module.weight.grad, cotangent.T @ x, atol=1e-5)


def test_mean_bias_gradient() -> None:
    module = build(MeanBiasGradient)
    x = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn(6, 4, dtype=torch.float64)
    output = module(x)
    output.backward(cotangent)
    assert torch.equal(output, x + module.bias)
    assert torch.equal(x.grad, cotangent)
    assert torch.allclose(module.bias.grad, cotangent.sum(0) / 6)


@pytest.mark.parametrize("cls", [DoubledWeightGradient, WrongRow], ids=lambda cls: cls.__name__)
def test_a_frozen_weight_gets_no_gradient_and_the_input_still_does(cls: type[nn.Module]) -> None:
    module = build(cls).requires_grad_(False)
    x = draw_inputs(cls)["x"].requires_grad_()
    module(x).sum().backward()
    assert module.weight.grad is None
    assert torch.allclose(x.grad, module.weight.sum(0).expand_as(x))


def test_detached_scale() -> None:
    module = build(DetachedScale)
    x = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    before = module(x)
    before.sum().backward()
    assert module.scale.grad is None
    with torch.no_grad():
        module.scale += 1
    assert torch.allclose(module(x), before * torch.e)


# What is not about gradients.


def test_dropout_in_eval() -> None:
    module = build(DropoutInEval).eval()
    x = torch.randn(6, 6, dtype=torch.float64)
    first = module(x)
    assert (first == 0).any()
    assert not torch.equal(module(x), first)


def test_batch_softmax() -> None:
    module = build(BatchSoftmax)
    x = torch.randn(6, 6, dtype=torch.float64)
    probabilities = module(x)
    assert torch.allclose(probabilities.sum(0), torch.ones(4, dtype=torch.float64))
    assert not torch.isclose(probabilities.sum(1), torch.ones(6, dtype=torch.float64)).any()
    assert not torch.allclose(module(x[:3]), probabilities[:3])


@pytest.mark.parametrize(
    ("probability", "target", "is_defect"),
    [(0.0, 1.0, torch.isinf), (1.0, 0.0, torch.isinf), (0.0, 0.0, torch.isnan), (1.0, 1.0, torch.isnan)],
)
def test_unclamped_log_loss(probability: float, target: float, is_defect: Callable[[Tensor], Tensor]) -> None:
    probabilities, targets = torch.tensor([0.5, probability]), torch.tensor([1.0, target])
    assert is_defect(UnclampedLogLoss()(probabilities, targets))
    assert F.binary_cross_entropy(probabilities, targets).isfinite()


def test_unclamped_log_loss_is_binary_cross_entropy_inside_the_interval() -> None:
    probabilities, targets = torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0])
    expected = F.binary_cross_entropy(probabilities, targets)
    assert torch.isclose(UnclampedLogLoss()(probabilities, targets), expected)


def test_inplace_input() -> None:
    x = torch.tensor([[-3.0, -0.5, 0.0, 0.5, 3.0]], dtype=torch.float64)
    build(InplaceInput)(x)
    assert x.tolist() == [[-1.0, -0.5, 0.0, 0.5, 1.0]]


def test_inplace_input_is_refused_on_a_leaf() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable"):
        InplaceInput(5)(torch.zeros(1, 5, requires_grad=True))


def test_plain_tensor() -> None:
    module = PlainTensor(5)
    assert set(module.state_dict()) == {"linear.weight", "linear.bias"}
    module.double()
    assert module.linear.weight.dtype == torch.float64
    assert module.offset.dtype == torch.float32
    restored = PlainTensor(5).double()
    restored.load_state_dict(module.state_dict())
    x = torch.zeros(1, 5, dtype=torch.float64)
    assert not torch.allclose(restored(x), module(x))


@pytest.mark.parametrize(("batch", "shape"), [(3, (3,)), (2, (2,)), (1, ())])
def test_squeezed_batch(batch: int, shape: tuple[int, ...]) -> None:
    assert SqueezedBatch(5)(torch.randn(batch, 5)).shape == shape
