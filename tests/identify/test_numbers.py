"""Measured numbers are read as the simple ones that they are, and as nothing else."""

import math

import pytest

from verifykit.identify.numbers import simple


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-2.0, "-2"),
        (1.702, "1.702"),
        (0.1, "0.1"),
        (2 / 3, "2/3"),
        (math.sqrt(3), "sqrt(3)"),
        (math.sqrt(5 / 6), "sqrt(5/6)"),
        (1 / math.log(2), "1/ln 2"),
        (math.pi / 2, "1/2·pi"),
        (1 / 12, "1/12"),
    ],
)
def test_simple_numbers_are_written_as_people_write_them(value: float, text: str) -> None:
    assert simple(value * (1 + 1e-13)) == text


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, 0.912345678, 1.2345678, 17.29381])
def test_other_numbers_are_not_read(value: float) -> None:
    assert simple(value) is None
