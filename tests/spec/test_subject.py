import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from verifykit.config import TargetConfig
from verifykit.errors import SpecError
from verifykit.runner import Plan, prepare
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import resolve


def subject(target: str, init: dict[str, object] | None = None, **inputs: str) -> Subject:
    return Subject(resolve(target), Spec(init or {}, tuple(parse_input(n, d) for n, d in inputs.items())))


def test_what_a_subject_does_is_repeatable_and_leaves_random_state_alone() -> None:
    linear = subject("torch.nn:Linear", {"in_features": 4, "out_features": 2}, input="float[N, 4]")
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    one, other = linear.build(), linear.build()
    (x,), (y,) = linear.draw(), linear.draw()
    assert torch.equal(one.weight, other.weight)
    assert torch.equal(x, y)
    assert not torch.equal(x, linear.draw(seed=1)[0])
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (random.getstate(), np.random.get_state()[1].tolist())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_complex_parameters_become_the_partner_of_the_dtype(
    module_file: Callable[[str], str], dtype: torch.dtype
) -> None:
    source = """
class Phase(nn.Module):
    def __init__(self):
        super().__init__()
        self.phase = nn.Parameter(torch.randn(3, dtype=torch.complex64))
        self.register_buffer("steps", torch.arange(3))
    def forward(self, x):
        return x * self.phase
"""
    phase = subject(f"{module_file(source)}:Phase", x="complex[N, 3]")
    module = phase.build(dtype)
    assert module.phase.dtype == (torch.complex64 if dtype == torch.float32 else torch.complex128)
    assert module.phase.imag.abs().max() > 0
    assert module.steps.dtype == torch.int64
    assert phase.call(module, phase.draw(dtype=dtype)).dtype == module.phase.dtype


def test_inputs_go_by_name(module_file: Callable[[str], str]) -> None:
    source = "class Sub(nn.Module):\n    def forward(self, a, b, *, scale):\n        return (a - b) * scale\n"
    sub = subject(f"{module_file(source)}:Sub", scale="float[]", b="float[N]", a="float[N]")
    scale, b, a = sub.draw()
    assert torch.equal(sub.call(sub.build(), (scale, b, a)), (a - b) * scale)


def test_a_name_that_forward_does_not_have() -> None:
    with pytest.raises(SpecError, match=r"no forward argument 'inputs': it takes input. Did you mean 'input'\?"):
        subject("torch.nn:ReLU", inputs="float[N]").try_once()


@pytest.mark.parametrize("target", ["torch:relu", "torch.nn.functional:relu", "torch.nn:ReLU"])
def test_every_kind_of_target_is_called(target: str) -> None:
    relu = subject(target, input="float[N]")
    (x,) = relu.draw()
    assert torch.equal(relu.call(relu.build(), (x,)), x.clamp(min=0))


def test_an_autograd_function_is_applied(module_file: Callable[[str], str]) -> None:
    source = """
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x
    @staticmethod
    def backward(ctx, g):
        return g
"""
    square = subject(f"{module_file(source)}:Square", x="float[N]")
    (x,) = square.draw()
    assert torch.equal(square.call(square.build(), (x,)), x * x)
    assert square.forward_location is not None
    assert square.forward_location.line == 6


def test_refusals_quote_the_module_and_its_line(module_file: Callable[[str], str]) -> None:
    source = """
class Picky(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        if width % 2:
            raise ValueError(f"width must be even, not {width}")
        self.linear = nn.Linear(width, 1)
    def forward(self, x):
        return self.linear(x)
"""
    name = f"{module_file(source)}:Picky"
    with pytest.raises(SpecError, match=r"raised at .*audited\.py:9: ValueError: width must be even, not 3"):
        subject(name, x="float[N, 3]").try_once()
    with pytest.raises(SpecError, match=r"rejects its inputs \(x: \(3, 5\)\) at .*audited\.py:12: RuntimeError: mat1"):
        subject(name, {"width": 4}, x="float[N, 5]").try_once()
    with pytest.raises(SpecError, match=r"has no argument 'widht': it takes width. Did you mean 'width'\?"):
        subject(name, {"widht": 4}, x="float[N, 5]").try_once()


def test_tensors_of_nested_outputs_are_named() -> None:
    one, two = torch.zeros(1), torch.zeros(2)
    assert list(named_tensors(one)) == ["output"]
    assert list(named_tensors({"a": (one, 3, [two])})) == ["output['a'][0]", "output['a'][2][0]"]


def test_plain_tensors_of_another_precision_follow_where_nothing_else_works(module_file: Callable[[str], str]) -> None:
    source = """
class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.randn(4, 3)
    def forward(self, x):
        return nn.Linear(3, 2)(x @ self.table)
"""
    plan = Plan([], TargetConfig(inputs={"x": "float[N, 4]"}))
    plain, _ = prepare(f"{module_file(source)}:Plain", plan)
    assert plain.default_follows
    assert plain.call(plain.build(), plain.draw()).dtype == torch.float64
    assert torch.get_default_dtype() == torch.float32
    linear, _ = prepare("torch.nn:Linear", Plan([], TargetConfig({"in_features": 4, "out_features": 2})))
    assert not linear.default_follows
