from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.gradients.wrong import activation, convolution, linear
from verifykit import GradcheckError, gradcheck
from verifykit.gradients import dense
from verifykit.gradients.function import Function


def leaves(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


def compared(call: Callable[..., Any], point: list[Tensor]) -> dense.Comparison:
    function = Function(lambda given: call(*given), [str(i) for i in range(len(point))])
    return dense.compare(function, function.linearize(point))


def writes_to_its_input(x: Tensor) -> Tensor:
    return x.clone().mul_(2).exp_()


def branches(x: Tensor) -> Tensor:
    return x.exp() if x.sum() > -1e9 else x


CORRECT: dict[str, tuple[Callable[..., Any], list[Tensor]]] = {
    "linear": (linear("right"), leaves((6, 9), (9, 9), (9,))),
    "torch's linear": (F.linear, leaves((6, 9), (7, 9), (7,))),
    "convolution": (F.conv2d, leaves((2, 3, 6, 6), (4, 3, 3, 3), (4,))),
    "attention": (F.scaled_dot_product_attention, leaves((2, 3, 4), (2, 5, 4), (2, 5, 4))),
    "softmax": (lambda x: x.softmax(-1), leaves((3, 7))),
    "complex": (lambda x: (x * x.conj(), x.exp()), leaves((3, 4), dtype=torch.complex128)),
    "nested outputs": (lambda x, y: {"a": [x @ y], "b": y.sin()}, leaves((3, 4), (4, 2))),
    "data-dependent branch": (branches, leaves((5,))),
    "in place": (writes_to_its_input, leaves((5,))),
    "constant": (lambda x: x.detach() * 0 + 1.0, leaves((4,))),
    "scalar": (lambda x: x**3, leaves(())),
}


@pytest.mark.parametrize("name", CORRECT)
def test_every_element_of_a_right_gradient_agrees(name: str) -> None:
    call, point = CORRECT[name]
    found = compared(call, point)
    assert found.suspects == []
    assert found.undecided == 0
    assert found.elements > 0
    assert found.error < 1e-6


@pytest.mark.parametrize("way", ["all", "row", "column", "element", "sign", "transposed", "mean", "one sample"])
def test_planted_errors_are_suspected(way: str) -> None:
    assert compared(linear(way, 1e-4), leaves((6, 9), (9, 9), (9,))).suspects


def test_a_gradient_that_autograd_leaves_out_shows_in_the_row_of_another_element() -> None:
    # The second element reaches no output according to autograd, so it may share a row with any other.
    def cut(x: Tensor) -> Tensor:
        return torch.stack([x[0], x[1].detach(), x[2]]).exp()

    found = compared(cut, leaves((3,)))
    assert {(s.element, s.output) for s in found.suspects} == {(1, 1)} or any(s.output == 1 for s in found.suspects)


def test_kinks_pass() -> None:
    x = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(torch.relu, x, fast_mode=False)


def test_an_error_that_hides_behind_a_kink_is_seen_element_by_element() -> None:
    class Absolute(torch.autograd.Function):
        @staticmethod
        def forward(x: Tensor) -> Tensor:
            return x.abs()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            (x,) = ctx.saved_tensors
            return g * x.sign() * torch.where(x > 1, 1.01, 1.0)

    x = torch.tensor([0.0, 0.5, -3.0, 2.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(Absolute.apply, x, fast_mode=True)  # between the one-sided derivatives
    with pytest.raises(GradcheckError, match=r"input 0\[3\].*by a factor of 1\.01"):
        gradcheck(Absolute.apply, x, fast_mode=False)


@pytest.mark.parametrize("function", [F.gelu, lambda x: F.log_softmax(x, -1), torch.special.expit, F.softplus])
def test_outputs_that_are_all_rounding_error(function: Callable[..., Any]) -> None:
    x = torch.tensor([[-800.0, -40.0, -9.0, 1e-3, 500.0], [-30.0, 700.0, 0.1, -7.0, 3.0]], dtype=torch.float64)
    assert gradcheck(function, x.requires_grad_(), fast_mode=False)


@pytest.mark.parametrize("wrong", [linear("all", 1e-5), linear("element", 1e-5)])
def test_the_whole_jacobian_on_request(wrong: Callable[..., Any]) -> None:
    point = [leaf.requires_grad_() for leaf in leaves((6, 9), (9, 9), (9,))]
    assert gradcheck(linear("right"), point, fast_mode=False)
    with pytest.raises(GradcheckError, match="input 1"):
        gradcheck(wrong, point, fast_mode=False)


def test_convolution_at_its_border_and_an_activation_on_negative_inputs() -> None:
    assert compared(convolution(1e-4), leaves((1, 1, 7, 7), (2, 1, 3, 3))).suspects
    assert compared(activation("negative", 1e-4), leaves((5, 6))).suspects


def test_a_jacobian_beyond_the_budget_is_refused() -> None:
    x = torch.randn(8000, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match=r"488 MiB, more than the 256 allowed: probe along random directions"):
        gradcheck(torch.sin, x, fast_mode=False)
    assert gradcheck(torch.sin, x)


def test_it_is_chosen_where_it_is_cheaper() -> None:
    def cheaper(call: Callable[..., Any], point: list[Tensor]) -> bool:
        function = Function(lambda given: call(*given), [str(i) for i in range(len(point))])
        return dense.is_cheaper(function, function.linearize(point), probes=3)

    assert cheaper(torch.sin, leaves((20,)))
    assert not cheaper(torch.sin, leaves((2000,)))  # too large
    assert not cheaper(F.linear, leaves((2, 3), (4, 3), (4,)))  # a batch per leaf: as many as directions
    assert not cheaper(branches, leaves((20,)))  # cannot be batched
