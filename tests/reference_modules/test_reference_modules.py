import subprocess
import sys

import pytest
import torch
from torch import nn

import reference_modules
from reference_modules import CombinedLoss, CustomLinear, CustomLoss, CustomModel, ExampleModel, ThresholdReLU, broken
from reference_modules.training import train
from verifykit.checks.registry import load_checks


def test_custom_linear() -> None:
    torch.manual_seed(0)
    layer = CustomLinear(5, 3)
    x = torch.randn(10, 5)
    assert layer(x).shape == (10, 3)
    assert torch.allclose(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    assert (layer.weight.shape, layer.bias.shape) == ((3, 5), (3,))


def test_custom_linear_is_drawn_from_a_standard_normal() -> None:
    torch.manual_seed(0)
    weight = CustomLinear(300, 300).weight
    assert abs(weight.mean()) < 0.02
    assert abs(weight.std() - 1) < 0.02


@pytest.mark.parametrize("sizes", [(0, 3), (5, 0), (-1, 3)])
def test_custom_linear_refuses_sizes_below_one(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        CustomLinear(*sizes)


def test_threshold_relu() -> None:
    x = torch.tensor([[-1.0, 0.3], [0.6, 1.2]])
    assert torch.equal(ThresholdReLU(0.5)(x), torch.tensor([[0.0, 0.0], [0.6, 1.2]]))
    assert torch.equal(ThresholdReLU(0.5)(torch.tensor(0.5)), torch.tensor(0.0))
    assert torch.equal(ThresholdReLU()(x), x.clamp(min=0))


def test_models_are_made_of_what_they_say() -> None:
    kinds = [(type(m), tuple(m.weight.shape)) for m in CustomModel().children()]
    assert kinds == [(nn.Linear, (10, 5)), (CustomLinear, (3, 10)), (nn.Linear, (1, 3))]
    kinds = [(type(m), tuple(m.weight.shape)) for m in ExampleModel().children()]
    assert kinds == [(CustomLinear, (3, 5)), (nn.Linear, (1, 3))]
    assert CustomModel()(torch.zeros(2, 5)).shape == ExampleModel()(torch.zeros(2, 5)).shape == (2, 1)


def test_losses_by_hand() -> None:
    predictions, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [2.0]])
    assert CustomLoss()(predictions, targets).item() == pytest.approx(2.0 + 0.1 * 2.5)
    cosine = (3 + 4) / (5**0.5 * 13**0.5)
    assert CombinedLoss()(predictions, targets).item() == pytest.approx(1.0 + 1 - cosine)


def test_losses_broadcast_silently_as_their_docstrings_say() -> None:
    predictions, targets = torch.randn(4, 1), torch.randn(4)
    for loss in (CustomLoss(), CombinedLoss()):
        assert "broadcast" in (type(loss).__doc__ or "")
        assert loss(predictions, targets) != loss(predictions, targets[:, None])


def test_training_reduces_the_loss() -> None:
    losses = list(train())
    assert len(losses) == 50
    assert losses[-1] < losses[0]


def test_the_training_example_prints_every_ten_epochs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reference_modules.training"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["epoch", str(epoch)] for epoch in range(10, 51, 10)]


@pytest.mark.parametrize("name", [*reference_modules.__all__, *broken.__all__])
def test_every_module_says_how_to_build_it_and_what_it_is(name: str) -> None:
    cls = getattr(reference_modules, name, None) or getattr(broken, name)
    assert isinstance(cls(**cls.__verifykit__.get("init", {})), nn.Module)
    assert cls.__verifykit__["inputs"]
    assert cls.__doc__


@pytest.mark.parametrize("name", broken.__all__)
def test_every_twin_names_the_check_that_must_fail(name: str) -> None:
    planned = {"batch-independence", "extremes", "purity", "registration"}
    doc = getattr(broken, name).__doc__
    assert any(f"`{check}`" in doc for check in load_checks().keys() | planned)
