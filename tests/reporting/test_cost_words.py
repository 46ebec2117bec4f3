"""Cost in words: the summary, and laws that say no more than their uncertainty allows."""

import pytest
from msgspec.structs import replace

from tests.reporting.cost_data import ALONG_L, ALONG_N, BUILTIN, MEASURED, PROFILE, ROOFLINE
from verifykit.reporting.performance.summary import summary
from verifykit.reporting.performance.words import law_text, laws_text, summary_of
from verifykit.results.cost import Ratio
from verifykit.results.growth import Growth, Law
from verifykit.results.performance import Measurements


def test_the_summary_is_one_sentence() -> None:
    assert summary(MEASURED) == (
        f"A training step takes 4.20 ms at N = 8, L = 16, 3.11x slower than {BUILTIN} (2.94 to 3.30); "
        "forward reaches 2.4% of the limit of this machine, and 18% at N = 8, L = 1024; "
        "time grows as L^1.97 ± 0.05 and N^1.00 ± 0.02, peak memory grows as L^2.00 and N^1.00."
    )
    same = replace(MEASURED, step_ratio=Ratio(1.01, 0.97, 1.04), roofline=None, growth=[])
    assert summary(same) == (
        f"A training step takes 4.20 ms at N = 8, L = 16, no difference measured from {BUILTIN} (0.97 to 1.04)."
    )
    forward_only = Measurements(replace(PROFILE, backward=None, step=None, sizes={}))
    assert summary(forward_only) == "A forward takes 1.31 ms."
    assert summary(Measurements()) == ""


def test_the_limit_is_told_where_it_was_measured() -> None:
    elsewhere = replace(ROOFLINE, points=ROOFLINE.points[1:2])
    assert "forward reaches 8.5% of the limit of this machine at N = 8, L = 64" in summary(
        replace(MEASURED, roofline=elsewhere)
    )
    assert "limit" not in summary(replace(MEASURED, roofline=replace(ROOFLINE, points=[])))


@pytest.mark.parametrize(
    ("exponent", "error", "told"),
    [
        (1.97, 0.05, "grows as L^1.97 ± 0.05"),
        (2.0, 0.001, "grows as L^2.00"),
        (0.03, 0.04, "does not grow with L"),
        (0.0, 0.0, "does not grow with L"),
        (0.2, 0.35, "may or may not grow with L (L^0.20 ± 0.35)"),
        (-0.5, 0.1, "falls as L^-0.50 ± 0.10"),
    ],
)
def test_a_law_says_no_more_than_its_uncertainty_allows(exponent: float, error: float, told: str) -> None:
    assert law_text(Law("time", exponent, error, 0.0, 1.0, 4), "L") == told


def test_a_logarithm_alone_is_told_as_what_it_is() -> None:
    logarithm = Law("operators", 0.0, 0.2, 3.0, 2.0, 4, "log L")
    assert law_text(logarithm, "L") == "grow no faster than log L"
    assert law_text(replace(logarithm, quantity="time", error=0.08), "L") == "grows no faster than log L"
    found = Growth("L", [], [logarithm, Law("time", 1.0, 0.1, 0.0, 1.0, 4, "L log L")], "")
    assert laws_text(found) == "time grows as L^1.00 ± 0.10 (or L log L), operators grow no faster than log L"


def test_laws_are_one_phrase() -> None:
    assert laws_text(ALONG_L) == (
        "time grows as L^1.97 ± 0.05, peak memory as L^2.00, saved bytes as L^2.00, operators do not grow with L"
    )
    flat = Growth("C", [], [Law("operators", 1.0, 0.0, 0.0, 1.0, 4), Law("time", 0.0, 0.0, 1.0, 0.0, 4)], "")
    assert laws_text(flat) == "time does not grow with C, operators grow as C^1.00"
    assert laws_text(replace(flat, laws=[])) == ""
    assert summary_of([ALONG_N, flat], "time") == "time grows as N^1.00 ± 0.02, does not grow with C"
    assert summary_of([], "time") == ""
