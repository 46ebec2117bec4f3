import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifykit.profiling.interval import CONFIDENCE, LAYOUT, median_interval, ratio_of

positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize("n", [6, 9, 15, 40])
def test_the_interval_holds_the_median_as_often_as_it_says(n: int) -> None:
    generator = random.Random(n)
    tried = 2000
    held = 0
    for _ in range(tried):
        # Noise as machines have it: mostly small, and now and then very large; its median is 1.
        values = [1 + generator.uniform(-0.1, 0.1) * (50 if generator.random() < 0.1 else 1) for _ in range(n)]
        low, high = median_interval(values)
        held += low <= 1 <= high
    assert held / tried >= CONFIDENCE - 0.02


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_the_interval_is_of_values_and_holds_their_median(values: list[float]) -> None:
    low, high = median_interval(values)
    assert low in values
    assert high in values
    assert low <= statistics.median(values) <= high
    if len(values) < 6:
        assert (low, high) == (min(values), max(values))


@given(st.lists(st.tuples(positive, positive), min_size=6, max_size=20))
def test_a_ratio_turned_round_is_its_inverse(pairs: list[tuple[float, float]]) -> None:
    own, other = zip(*pairs, strict=True)
    there, back = ratio_of(own, other), ratio_of(other, own)
    assert there.value == pytest.approx(1 / back.value)
    assert there.low == pytest.approx(1 / back.high)
    assert there.low <= there.value <= there.high


def test_a_common_drift_cancels() -> None:
    drift = [1.0, 3.0, 0.5, 8.0, 2.0, 1.0, 4.0, 0.1]
    found = ratio_of([2 * d for d in drift], drift)
    assert found.value == pytest.approx(2)
    assert found.low == pytest.approx(2 / (1 + LAYOUT))
    assert found.is_measured
    assert not ratio_of(drift, drift).is_measured
    # A difference that memory layout alone may make is none.
    assert not ratio_of([1.02 * d for d in drift], drift).is_measured
