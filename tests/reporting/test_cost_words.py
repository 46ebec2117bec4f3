"""Cost in words: the summary, and laws that say no more than their uncertainty allows."""

import pytest
from msgspec.structs import replace

from tests.reporting.cost_data import ALONG_L, ALONG_N, BASELINE, BUILTIN, MEASURED, PROFILE, ROOFLINE
from verifykit.reporting.performance.baseline import headline
from verifykit.reporting.performance.summary import summary
from verifykit.reporting.performance.words import law_text, laws_text, reference_text, summary_of
from verifykit.results.cost import Ratio
from verifykit.results.growth import Growth, Law
from verifykit.results.performance import BaselineComparison, Change, Measurements


def test_the_summary_is_one_sentence() -> None:
    assert summary(replace(MEASURED, baseline=None)) == (
        f"A training step takes 4.20 ms at N = 8, L = 16, 3.11x slower than {BUILTIN} (2.94 to 3.30); "
        "forward reaches 2.4% of the limit of this machine, and 18% at N = 8, L = 1024; "
        "time grows as L^1.97 ± 0.05 and N^1.00 ± 0.02, peak memory grows as L^2.00 and N^1.00."
    )
    same = replace(MEASURED, step_ratio=Ratio(1.01, 0.97, 1.04), roofline=None, growth=[], baseline=None)
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
    hardly = [ROOFLINE.points[0], replace(ROOFLINE.points[1], reached=1553.0)]
    assert "limit" not in summary(replace(MEASURED, roofline=replace(ROOFLINE, points=hardly)))
    cached = [replace(ROOFLINE.points[0], reached=1.7), ROOFLINE.points[1]]
    assert "forward reaches 8.5% of the limit of this machine at N = 8, L = 64" in summary(
        replace(MEASURED, roofline=replace(ROOFLINE, points=cached))
    )


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
        "time grows as L^1.97 ± 0.05, peak memory as L^2.00, saved bytes as L^2.00, operators do not grow"
    )
    flat = Growth("C", [], [Law("operators", 1.0, 0.0, 0.0, 1.0, 4), Law("time", 0.0, 0.0, 1.0, 0.0, 4)], "")
    assert laws_text(flat) == "operators grow as C^1.00, time does not grow"
    level = [Law(quantity, 0.0, 0.0, 1.0, 0.0, 4) for quantity in ("time", "saved bytes", "operators")]
    assert laws_text(replace(flat, laws=level)) == "time, saved bytes and operators do not grow"
    assert laws_text(replace(flat, laws=[], stopped="why")) == "no law of time was found along C (why: why)"
    assert summary_of([ALONG_N, flat], "time") == "time grows as N^1.00 ± 0.02, does not grow with C"
    assert summary_of([flat, replace(flat, symbol="D")], "time") == "time does not grow with C and D"
    assert summary_of([], "time") == ""


def test_of_the_reference_only_what_differs_is_told() -> None:
    assert reference_text(ALONG_L) == "the reference's laws do not differ"
    assert reference_text(ALONG_N) == "of the reference, operators do not grow"
    linear = Law("time", 1.0, 0.1, 0.0, 1.0, 4)
    assert reference_text(replace(ALONG_L, reference_laws=[linear])) == "of the reference, time grows as L^1.00 ± 0.10"
    unknown = replace(ALONG_L, reference_laws=ALONG_L.reference_laws[1:])
    assert reference_text(unknown) == "of the reference, no law of time was found"
    assert reference_text(replace(ALONG_L, reference_laws=[], reference_points=[])) == ""


def test_a_comparison_with_a_baseline_is_in_the_summary() -> None:
    assert headline(BASELINE) == (
        "changed since 'main' (see the warnings): forward, as a multiple of the reference's 1.12x less "
        "(1.03 to 1.25), peak memory 1.14x more"
    )
    slower = Change("forward", 1e-3, 1.75e-3, Ratio(1.75, 1.45, 2.11), "s")
    one = BaselineComparison("before", "", [slower])
    assert headline(one) == "changed since 'before': forward 1.75x slower (1.45 to 2.11)"
    assert headline(replace(one, changes=[slower] * 5)).endswith("(1.45 to 2.11), and 2 more")
    near = [Change("step", 1.0, 1.0, Ratio(1.01, 0.97, 1.04), "s"), Change("peak", 1e6, 1.002e6, Ratio(*[1.002] * 3))]
    assert headline(replace(one, changes=near)) == "no change measured against 'before'"
    assert headline(one) in summary(replace(MEASURED, baseline=one))
