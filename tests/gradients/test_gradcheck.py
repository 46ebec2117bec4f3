from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.gradients.wrong import activation, convolution, linear
from verifykit import GradcheckError, gradcheck

D = torch.float64


def leaves(*shapes: tuple[int, ...], seed: int = 0, dtype: torch.dtype = D) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes)


LINEAR = [(6, 9), (9, 9), (9,)]


@pytest.mark.parametrize(
    ("way", "leaf", "pattern", "cause"),
    [
        ("all", 1, "all elements, by a factor of 2", "doubled"),
        ("row", 1, "one row (1), by a factor of 2", "doubled"),
        ("column", 1, "one column (2), by a factor of 2", "doubled"),
        ("element", 1, "one element, by a factor of 2", "doubled"),
        ("sign", 1, "all elements, by a factor of -1", "sign"),
        ("transposed", 1, "transposed", "swapped"),
        ("missing", 1, "missing", "cuts the graph"),
        ("mean", 2, "all elements, by a factor of 0.166667", "a mean where a sum"),
        ("one sample", 2, "not summed over the broadcast dimension", "one sample's part"),
    ],
)
def test_a_wrong_linear_is_located_and_diagnosed(way: str, leaf: int, pattern: str, cause: str) -> None:
    with pytest.raises(GradcheckError) as raised:
        gradcheck(linear(way), leaves(*LINEAR))
    (found,) = raised.value.verdict.mismatches
    assert found.element.leaf == f"input {leaf}"
    assert found.pattern == pattern
    assert cause in found.cause
    assert raised.value.verdict.kind == ("graph cut" if way == "missing" else "mismatch")
    assert pattern in str(raised.value)


@pytest.mark.parametrize("way", ["all", "row", "element"])
@pytest.mark.parametrize("size", [8, 128])
@pytest.mark.parametrize("amount", [1e-2, 1e-5])
def test_small_errors_are_seen(way: str, size: int, amount: float) -> None:
    assert not gradcheck(linear(way, amount), leaves((8, size), (size, size), (size,)), raise_exception=False)


def test_the_element_is_the_planted_one_in_a_leaf_too_large_to_expand() -> None:
    with pytest.raises(GradcheckError) as raised:
        gradcheck(linear("element", 1e-4), leaves((4, 200), (200, 200), (200,)))
    (found,) = raised.value.verdict.mismatches
    assert found.element.index == (1, 2)
    assert found.element.ratio == pytest.approx(1 + 1e-4, rel=1e-6)
    assert abs(found.element.numerical - found.element.analytic / (1 + 1e-4)) <= 10 * found.element.bar


def test_patterns_by_value_and_by_place() -> None:
    with pytest.raises(GradcheckError, match="negative values only"):
        gradcheck(activation("negative"), leaves((5, 6)))
    with pytest.raises(GradcheckError, match="the border, by a factor of 2"):
        gradcheck(convolution(), leaves((1, 1, 7, 7), (2, 1, 3, 3)))


def test_a_wrong_sign_at_a_tiny_gradient() -> None:
    def small(x: Tensor) -> Tensor:
        return 1e-6 * activation("all", -2.0)(x)

    assert not gradcheck(small, leaves((4, 5)), raise_exception=False)


CORRECT: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...]]] = {
    "linear": (linear("right"), leaves(*LINEAR)),
    "relu network": (lambda x, w, v: torch.relu(torch.relu(x @ w) @ v), leaves((20, 30), (30, 40), (40, 10))),
    "max pooling": (lambda x: F.max_pool2d(x, 2), leaves((2, 3, 8, 8))),
    "softmax": (lambda x: torch.softmax(x, -1), leaves((4, 9))),
    "sum of softmax, whose derivative is zero": (lambda x: torch.softmax(x, -1).sum(), leaves((4, 9))),
    "complex": (lambda x, y: (torch.fft.fft(x) * y.conj()).abs(), leaves((4, 8), (4, 8), dtype=torch.complex128)),
    "nested outputs": (lambda x: {"a": [x.sin(), 3], "b": (x.cos(), x.long())}, leaves((4,))),
    "integer argument": (lambda x: F.embedding(torch.tensor([0, 2, 2]), x), leaves((5, 3))),
    "random numbers": (lambda x: F.dropout(x, 0.5), leaves((30, 30))),
    "scalar": (lambda x: x**3, leaves(())),
    "empty": (lambda x: x * 2, leaves((0, 3))),
    "steep": (lambda x: torch.exp(30 * x), leaves((4, 5))),
    "an output that needs no gradient": (lambda x: (x * 2, torch.ones(3, dtype=D)), leaves((4,))),
}


@pytest.mark.parametrize(("function", "inputs"), CORRECT.values(), ids=CORRECT.keys())
@pytest.mark.parametrize("seed", range(3))
def test_correct_functions(function: Callable[..., Any], inputs: tuple[Tensor, ...], seed: int) -> None:
    assert gradcheck(function, inputs, seed=seed)


def test_single_precision_inputs_are_converted_and_that_is_said() -> None:
    with pytest.warns(UserWarning, match="input 0 is checked as float32 converted to float64"):
        assert gradcheck(lambda x: torch.tanh(x), leaves((4, 5), dtype=torch.float32))


def test_calls_written_for_torch() -> None:
    with pytest.warns(UserWarning, match="no effect of eps, atol: step, tolerance"):
        assert gradcheck(torch.tanh, leaves((4, 5)), eps=1e-6, atol=1e-4, check_batched_grad=False)
    with pytest.raises(TypeError, match="unexpected keyword tolerance"):
        gradcheck(torch.tanh, leaves((4, 5)), tolerance=1e-4)


def test_forward_mode_on_request() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
            return 2 * ctx.saved_tensors[0] * grad

        @staticmethod
        def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
            return tangent * ctx.saved_tensors[0]  # the 2 is missing

    assert gradcheck(torch.tanh, leaves((4, 5)), check_forward_ad=True)
    assert gradcheck(Square.apply, leaves((4, 5)))
    with pytest.raises(GradcheckError, match="mismatch"):
        gradcheck(Square.apply, leaves((4, 5)), check_forward_ad=True)
    with pytest.raises(GradcheckError, match="mismatch"):
        gradcheck(Square.apply, leaves((4, 5)), check_forward_ad=True, check_backward_ad=False)


def test_other_arguments_are_passed_through() -> None:
    (x,) = leaves((3, 4))
    assert gradcheck(lambda x, y, flag, n: x * y if flag else n, (x, torch.ones(4, dtype=D), True, 3))


UNDECIDED: dict[str, tuple[Callable[..., Any], str]] = {
    "jump at the point": (lambda x: torch.round(x * 0 + 0.5 + x - x.detach()), "jump"),
    "single precision inside": (lambda x: (x.float() @ x.float().T).double(), "lost precision"),
    "outputs not finite": (lambda x: x / 0.0, "holds NaN or infinity"),
}


@pytest.mark.parametrize(("function", "message"), UNDECIDED.values(), ids=UNDECIDED.keys())
def test_what_is_no_match_is_never_a_pass(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(GradcheckError, match=message):
        gradcheck(function, leaves((5, 6)))


def test_nondeterminism_is_named() -> None:
    calls = [0]

    def counts(x: Tensor) -> Tensor:
        calls[0] += 1
        return x * calls[0]

    with pytest.raises(GradcheckError, match="nondeterministic"):
        gradcheck(counts, leaves((3,)))


def test_a_kink_passes_where_the_gradient_lies_between_the_sides() -> None:
    x = torch.zeros(1, dtype=D, requires_grad=True)
    assert gradcheck(torch.abs, x)  # autograd gives 0, between -1 and 1
    assert not gradcheck(lambda x: x.abs() * 1.0 + 3 * (x - x.detach()), x, raise_exception=False)


def test_a_gradient_that_is_not_finite() -> None:
    with pytest.raises(GradcheckError, match="not finite"):
        gradcheck(lambda x: torch.sqrt(x * 0) + x, leaves((3,)))


def test_misuse() -> None:
    with pytest.raises(ValueError, match="no input requires a gradient"):
        gradcheck(torch.sin, torch.ones(3))
    with pytest.raises(ValueError, match="no floating-point output"):
        gradcheck(lambda x: x.argmax(), leaves((3,)))
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: 1 / 0, leaves((3,)))


def test_random_state_and_inputs_are_left_alone() -> None:
    (x,) = leaves((4, 4))
    before, state = x.detach().clone(), torch.get_rng_state()
    gradcheck(lambda x: F.dropout(x).mul_(2), (x,))
    assert torch.equal(x, before)
    assert x.grad is None
    assert torch.equal(state, torch.get_rng_state())
