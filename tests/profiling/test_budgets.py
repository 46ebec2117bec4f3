"""When a cost is beyond its budget, and what measuring it is shared."""

from collections.abc import Callable
from typing import Any

import pytest

from verifykit.config import Budgets
from verifykit.errors import ConfigError
from verifykit.profiling.budgets import (
    Held,
    budgets_for,
    memory_pair,
    memory_ratios,
    slowdowns,
    time_exponents,
    timed_pair,
)
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for
from verifykit.targets import resolve


def subject_of(target: str, reference: str | None = None, init: dict[str, Any] | None = None, **inputs: str) -> Subject:
    spec = Spec(init or {}, tuple(parse_input(name, text) for name, text in inputs.items()))
    return Subject(resolve(target), spec, reference=resolve_reference(reference, spec.init) if reference else None)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.0, 1.1, "within"),
        (1.1, 1.2, "within"),
        (1.1, 1.3, "undecided"),
        (1.2, 1.3, "undecided"),
        (1.21, 1.3, "beyond"),
        (1.3, 1.3, "beyond"),
        (1.2, 1.2, "within"),
    ],
)
def test_only_a_whole_interval_decides(low: float, high: float, verdict: str) -> None:
    assert Held("max-slowdown", "time of forward", (low + high) / 2, low, high, 1.2).verdict == verdict


def test_an_exponent_of_an_unknown_size_is_refused() -> None:
    spec = Spec({"width": 3}, (parse_input("x", "float[N, length, width]"),))
    layers = [Budgets(), Budgets(max_slowdown=2, max_time_exponent={"length": 1.1})]
    assert budgets_for(spec, layers) == layers[1]
    with pytest.raises(
        ConfigError, match=r"unknown size 'lenght': the free sizes are N, length. Did you mean 'length'"
    ):
        budgets_for(spec, [Budgets(max_time_exponent={"lenght": 1.1})])
    with pytest.raises(ConfigError, match="unknown size 'width'"):
        budgets_for(spec, [Budgets(max_time_exponent={"width": 1.1})])


def test_a_pair_is_measured_once_for_each_size() -> None:
    subject = subject_of("torch:relu", "torch:sigmoid", input="float[N, 8]")
    with threads_for(0), seeded(0):
        first = timed_pair(subject, {"N": 16})
        assert timed_pair(subject, {"N": 16}) is first
        assert memory_pair(subject, {"N": 16}) is memory_pair(subject, {"N": 16})
        assert memory_pair(subject, {"N": 17}) is not memory_pair(subject, {"N": 16})
    assert len(first) == 2
    assert all(times.step is not None for times in first)
    assert len(memory_pair(subject_of("torch:relu", input="float[N, 8]"), {"N": 16})) == 1


def test_slowdown_of_what_is_far_slower(module_file: Callable[[str], str]) -> None:
    source = "def slow(x):\n    for _ in range(30):\n        x = x.sin()\n    return x\n"
    with threads_for(0), seeded(0):
        held = slowdowns(subject_of(f"{module_file(source)}:slow", "torch:sin", x="float[N, 64]"), {"N": 64}, 3.0)
    assert all(isinstance(one, Held) and one.verdict == "beyond" and one.value > 10 for one in held)
    assert [one.what for one in held if isinstance(one, Held)] == ["time of forward", "time of a training step"]


def test_memory_is_counted_exactly(module_file: Callable[[str], str]) -> None:
    source = "def larger(x):\n    return x.repeat(8, 1).sum()\n\ndef view(x):\n    return x.view(-1)\n"
    path = module_file(source)
    with seeded(0):
        (held,) = memory_ratios(subject_of(f"{path}:larger", f"{path}:larger", x="float[N, 64]"), {"N": 64}, 1.0)
        assert isinstance(held, Held)
        assert (held.low, held.value, held.high, held.verdict) == (1, 1, 1, "within")
        (held,) = memory_ratios(subject_of(f"{path}:larger", "torch:sum", x="float[N, 64]"), {"N": 64}, 2.0)
        assert isinstance(held, Held)
        assert held.verdict == "beyond"


def test_exponents(module_file: Callable[[str], str]) -> None:
    source = "def heavy(x):\n    for _ in range(8):\n        x = x.sin()\n    return x\n"
    subject = subject_of(f"{module_file(source)}:heavy", x="float[N, 64]")
    with threads_for(0), seeded(0):
        held = time_exponents(subject, {"N": 64}, {"N": 0.3})
        held += time_exponents(subject, {"N": 64}, {"N": 3})  # by what was measured already
    assert [one.verdict for one in held if isinstance(one, Held)] == ["beyond", "within"]
    for one in held:
        assert isinstance(one, Held)
        assert (one.budget, one.what) == ("max-time-exponent", "N")
        assert one.low < one.value < one.high


def test_a_size_along_which_nothing_can_be_measured(module_file: Callable[[str], str]) -> None:
    source = "def only(x):\n    assert len(x) == 3\n    return x * 2\n"
    subject = subject_of(f"{module_file(source)}:only", x="float[N]")
    with threads_for(0), seeded(0):
        (why,) = time_exponents(subject, {"N": 3}, {"N": 1.0})
    assert isinstance(why, str)
    assert "how time grows along N is not known" in why
