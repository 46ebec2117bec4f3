import math

import pytest
import torch

from verifykit.comparison import rounding_tolerance, ulp_distance, worst_difference


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("start", [1.0, -1.0, 0.0, 1e-310, 3e30])
def test_ulp_distance_counts_representable_numbers(dtype: torch.dtype, start: float) -> None:
    one = torch.tensor(start, dtype=dtype)
    other = one
    for _ in range(3):
        other = torch.nextafter(other, torch.tensor(math.inf, dtype=dtype))
    assert ulp_distance(one, other) == ulp_distance(other, one) == 3


def test_ulp_distance_across_zero() -> None:
    tiny = torch.finfo(torch.float32).smallest_normal * torch.finfo(torch.float32).eps
    assert ulp_distance(torch.tensor(-tiny), torch.tensor(tiny)) == 2
    assert ulp_distance(torch.tensor(-0.0), torch.tensor(0.0)) == 0


def test_the_worst_element_is_found() -> None:
    expected = torch.arange(6.0).reshape(2, 3)
    actual = expected.clone()
    actual[1, 0] += 0.25
    found = worst_difference(actual, expected, 0.1)
    assert found is not None
    assert (found.index, found.error, found.excess) == ((1, 0), 0.25, 2.5)


def test_values_that_are_not_finite() -> None:
    same = torch.tensor([math.nan, math.inf, -math.inf])
    found = worst_difference(same, same.clone(), 0.0)
    assert found is not None
    assert found.error == 0.0
    for value in (0.0, -math.inf, math.nan):
        found = worst_difference(torch.tensor([math.inf]), torch.tensor([value]), 1.0)
        assert found is not None
        assert found.excess == math.inf


def test_nothing_to_compare() -> None:
    assert worst_difference(torch.zeros(0), torch.zeros(0), 1.0) is None


def test_tolerance_grows_with_the_rounding_error_that_is_seen() -> None:
    values = torch.tensor([1.0], dtype=torch.float64)
    exact = rounding_tolerance(values, values.float(), torch.float64)
    cancelled = rounding_tolerance(values, values.float() + 1e-3, torch.float64)
    assert exact == pytest.approx(32 * 2**-52)
    assert cancelled == pytest.approx(2**-52 * (32 + 16 * 1e-3 / 2**-23), rel=1e-2)
