from collections.abc import Callable
from typing import Any

import pytest

from verifykit.errors import SpecError
from verifykit.profiling.sizes import profiling_sizes
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject
from verifykit.targets import resolve


def subject(target: str, init: dict[str, Any] | None = None, **inputs: str) -> Subject:
    return Subject(resolve(target), Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items())))


def test_typical_sizes_and_those_given() -> None:
    one = subject("torch:relu", input="float[N, L, 5]")
    assert profiling_sizes(one, {}) == {"N": 32, "L": 64}
    assert profiling_sizes(one, {"L": 7}) == {"N": 32, "L": 7}


def test_large_inputs_are_made_smaller_but_not_in_what_was_given() -> None:
    one = subject("torch:relu", input="float[N, C, H, W]")
    sizes = profiling_sizes(one, {})
    assert sizes["N"] * sizes["C"] * sizes["H"] * sizes["W"] <= 1_000_000
    assert profiling_sizes(one, {"H": 4096})["H"] == 4096


def test_sizes_that_are_refused(module_file: Callable[[str], str]) -> None:
    source = """
class Small(nn.Module):
    def forward(self, x):
        if len(x) > 8:
            raise ValueError("eight at most")
        return x * 2
"""
    one = subject(f"{module_file(source)}:Small", x="float[N]")
    assert profiling_sizes(one, {}) == {"N": 8}
    with pytest.raises(SpecError, match="cannot be called with N=9: ValueError: eight at most"):
        profiling_sizes(one, {"N": 9})


def test_a_slow_module_gets_smaller_ones(module_file: Callable[[str], str]) -> None:
    source = """
class Pairs(nn.Module):
    def forward(self, x):
        for _ in range(3 * len(x)):
            time.sleep(0.001)
        return x * 2
"""
    sizes = profiling_sizes(subject(f"{module_file('import time' + source)}:Pairs", x="float[N, M]"), {})
    assert sizes["N"] < 32


def test_unknown_sizes() -> None:
    with pytest.raises(SpecError, match="unknown size 'M': the free sizes are N, L"):
        profiling_sizes(subject("torch:relu", input="float[N, L]"), {"M": 2})
    with pytest.raises(SpecError, match="none: all its sizes are fixed"):
        profiling_sizes(subject("torch:relu", input="float[3]"), {"N": 2})
