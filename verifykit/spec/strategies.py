"""Hypothesis as a search engine: draws sizes and values for a spec, and shrinks what refutes a property."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Simplex, Sorted
from verifykit.spec.effort import effort
from verifykit.spec.model import InputSpec, Spec
from verifykit.spec.sampling import COMPLEX_OF, integer_range

T = TypeVar("T")

GREATEST_SIZE = 12
GREATEST_VALUE = 1e3


@dataclass(frozen=True)
class Case:
    """One drawn example: the sizes of the free symbols and one float64 (or integer) tensor per input."""

    sizes: dict[str, int]
    inputs: tuple[Tensor, ...]


def sizes(spec: Spec, *, least: int = 1) -> st.SearchStrategy[dict[str, int]]:
    """Draw every free symbol from ``least`` to 12, small ones first when shrinking."""
    return st.fixed_dictionaries({symbol: st.integers(least, GREATEST_SIZE) for symbol in spec.free})


@st.composite
def cases(draw: st.DrawFn, spec: Spec) -> Case:
    """Draw sizes, then values: everyday, large, small, tied and zero, within the domain of each input."""
    drawn = draw(sizes(spec))
    known = {**spec.bound, **drawn}
    return Case(drawn, tuple(draw(values(entry, spec.shape(entry, drawn), known)) for entry in spec.inputs))


def values(entry: InputSpec, shape: tuple[int, ...], known: Mapping[str, int]) -> st.SearchStrategy[Tensor]:
    """Draw a tensor of ``shape`` from the domain of ``entry``; magnitudes stay below 1000, or inside the interval."""
    match entry.domain:
        case Boolean():
            return hnp.arrays(np.bool_, shape).map(torch.from_numpy)
        case Below(bound):
            return _integers(shape, 0, max(evaluate(bound, known) - 1, 0))
        case Interval() as interval if entry.dtype == "long":
            return _integers(shape, *integer_range(interval))
        case Interval() as interval:
            return _floats(shape, _between(interval))
        case OneOf(numbers) if entry.dtype == "long":
            return hnp.arrays(np.int64, shape, elements=st.sampled_from([int(n) for n in numbers])).map(
                torch.from_numpy
            )
        case OneOf(numbers):
            return _floats(shape, st.sampled_from(numbers))
        case Sorted():
            return _floats(shape, _reals()).map(lambda t: t.sort(-1).values if t.ndim else t)
        case Simplex():
            positive = st.floats(2**-10, 1.0, width=32)
            return _floats(shape, positive).map(lambda t: t / t.sum(-1, keepdim=True))
        case Real() if entry.dtype == "complex":
            parts = st.tuples(_floats(shape, _reals()), _floats(shape, _reals()))
            return parts.map(lambda both: torch.complex(*both))
        case Real():
            return _floats(shape, _reals())


def refute(
    prop: Callable[[T], None],
    strategy: st.SearchStrategy[T],
    *,
    examples: int,
    seed: int,
    seconds: float = float("inf"),
) -> tuple[T, BaseException] | None:
    """Search for an example on which ``prop`` raises; return the smallest one found and what it raised, or ``None``.

    Deterministic under ``seed``; nothing is printed, nor kept between runs. After so many seconds of work, what is
    found is made no smaller.
    """
    failures: list[tuple[T, BaseException]] = []
    deadline = effort() + seconds

    @hypothesis_seed(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def search(example: T) -> None:
        if effort() > deadline:
            return
        try:
            prop(example)
        except Exception as error:
            failures.append((example, error))
            raise

    try:
        search()
    except Exception:
        # Hypothesis replays the shrunk example last. A refutation that does not repeat (a random module) still counts.
        if not failures:
            raise
    return failures[-1] if failures else None


def cast(inputs: tuple[Tensor, ...], dtype: torch.dtype, device: str) -> tuple[Tensor, ...]:
    """Return ``inputs`` with floating-point ones in ``dtype`` and complex ones in its partner, all of them copies."""

    def one(tensor: Tensor) -> Tensor:
        if tensor.is_complex():
            return tensor.to(device, COMPLEX_OF[dtype], copy=True)
        return tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype, copy=True)

    return tuple(one(tensor) for tensor in inputs)


def _reals() -> st.SearchStrategy[float]:
    everyday = st.floats(-4.0, 4.0, width=32)
    return st.one_of(everyday, st.integers(-3, 3).map(float), st.floats(-GREATEST_VALUE, GREATEST_VALUE, width=32))


def _between(interval: Interval) -> st.SearchStrategy[float]:
    low = interval.low if math.isfinite(interval.low) else max(-GREATEST_VALUE, interval.high - GREATEST_VALUE)
    high = interval.high if math.isfinite(interval.high) else max(GREATEST_VALUE, interval.low + GREATEST_VALUE)
    return st.floats(low, high, exclude_min=not interval.closed_low, exclude_max=not interval.closed_high)


def _integers(shape: tuple[int, ...], low: int, high: int) -> st.SearchStrategy[Tensor]:
    return hnp.arrays(np.int64, shape, elements=st.integers(low, high)).map(torch.from_numpy)


def _floats(shape: tuple[int, ...], elements: st.SearchStrategy[float]) -> st.SearchStrategy[Tensor]:
    drawn: st.SearchStrategy[Any] = hnp.arrays(np.float64, shape, elements=elements)
    return drawn.map(torch.from_numpy)
