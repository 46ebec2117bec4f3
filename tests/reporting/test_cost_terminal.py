"""What is told of cost on the terminal: one line beside checks, one screen where it is what was asked for."""

import io
import re

import pytest
from msgspec.structs import replace
from rich.console import Console

from tests.reporting.cost_data import ADVICE, BASELINE, BUILTIN, MEASURED, PROFILE, PROFILED, REFERENCE, WHERE
from verifykit.reporting.performance.terminal import print_cost
from verifykit.reporting.terminal import print_report
from verifykit.reporting.verdict import is_profile, verdict
from verifykit.results import Audit, CheckOutcome, Environment, Finding, Report
from verifykit.results.performance import Measurements


def shown(audit: Audit, width: int = 100) -> str:
    stream = io.StringIO()
    report = Report(Environment("3.11", "2.13", "Linux", "cpu", 2), 0, [audit])
    print_report(report, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_a_profile_fits_a_screen() -> None:
    lines = shown(replace(PROFILED, measurements=replace(MEASURED, baseline=None))).splitlines()
    assert len(lines) <= 40
    assert lines[0] == "layers.py:LoopAttention was profiled"
    assert lines[1].startswith("A training step takes 4.20 ms at N = 8, L = 16, 3.11x slower than")
    assert any(line.startswith("1. the loop over the batch costs 86%") for line in lines)
    assert any(line.split() == ["layers.py:41", "86%", "1.10", "ms", "2.40", "ms", "aten::addmm"] for line in lines)
    assert any(line.startswith("forward") and "3.20x slower (3.00 to 3.40)" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_word_is_lost_and_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = shown(PROFILED, width)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    words = (
        "4.20 ms L^1.97 N^1.00 layers.py:41 layers.py:47 aten::addmm 410 µs 3.20x slower 910 KiB 148 GFLOP/s, "
        "15.2 GB/s 62% torch.compile main 1.14x another machine LoopAttention.trace.json.gz FLOP/B"
    )
    for word in words.split():
        assert word in text, word


def test_a_name_longer_than_the_terminal_stands_whole() -> None:
    long = "a_package." * 12 + "module"
    measured = replace(MEASURED, reference=replace(REFERENCE, name=long))
    text = shown(replace(PROFILED, measurements=measured), 60)
    assert long in text.replace("\n", "")


def test_beside_checks_it_is_one_line_unless_more_was_measured() -> None:
    checks = [CheckOutcome("gradient", "passed"), CheckOutcome("performance-budget", "skipped")]
    brief = replace(MEASURED, growth=[], roofline=None, advice=[])
    audit = Audit("m:L", "passed", checks=checks, measurements=brief)
    assert not is_profile(audit)
    cost = [line for line in shown(audit, 400).splitlines() if line.startswith("cost:")]
    assert cost == [
        "cost: forward 1.31 ms, 3.20x slower (3.00 to 3.40); backward 2.75 ms, 3.09x slower (2.95 to 3.21); "
        f"16.6 k parameters, 4.72 M forward FLOPs; against {BUILTIN}"
    ]
    assert is_profile(replace(audit, measurements=MEASURED))
    assert is_profile(replace(audit, checks=checks[1:]))
    assert not is_profile(Audit("m:L", "passed", checks=checks[1:]))
    assert "not profiled: why" in shown(Audit("m:L", "passed", checks=checks, measurements=Measurements(reason="why")))


def test_a_breach_of_a_budget_is_a_verdict_like_any_other() -> None:
    finding = Finding("it is slower than allowed", "error", rule="performance-budget")
    outcome = CheckOutcome("performance-budget", "failed", findings=[finding])
    failed = replace(PROFILED, status="failed", checks=[outcome])
    assert verdict(failed) == "failed: 1 error in performance-budget; 0 checks passed"
    assert "it is slower than allowed" in shown(failed)
    assert verdict(replace(PROFILED, checks=[CheckOutcome("performance-budget", "passed")])) == "passed: 1 check passed"
    assert verdict(PROFILED) == verdict(replace(PROFILED, checks=[])) == "was profiled"


def test_what_was_not_measured_is_left_out() -> None:
    bare = Measurements(replace(PROFILE, backward=None, step=None, memory=None, where=None, sizes={}))
    text = shown(replace(PROFILED, measurements=bare))
    for absent in ("None", "backward", "memory", "limit", "along", "hot line", "reference", "trace"):
        assert absent not in text
    stream = io.StringIO()
    print_cost(Measurements(), Console(file=stream))
    assert stream.getvalue() == ""


def test_long_lists_are_cut() -> None:
    many = replace(MEASURED, advice=ADVICE * 5, profile=replace(PROFILE, where=replace(WHERE, lines=WHERE.lines * 9)))
    text = shown(replace(PROFILED, measurements=many))
    assert "and 9 more in the report" in text
    assert len(re.findall(r"^layers.py:41 +86%", text, re.MULTILINE)) == 5


def test_a_comparison_without_changes_is_no_empty_table() -> None:
    text = shown(replace(PROFILED, measurements=replace(MEASURED, baseline=replace(BASELINE, changes=[]))))
    assert "nothing could be compared with 'main' (see the warnings)" in " ".join(text.split())
    assert "warning: it was saved on another machine" in text
    assert "then  now" not in text


def test_no_name_reaches_the_terminal_as_control_codes_or_markup() -> None:
    nasty = "\x1b[31m[bold]x[/bold]\u202e"
    measured = replace(
        MEASURED,
        profile=replace(PROFILE, sizes={nasty: 3}),
        reference=replace(REFERENCE, name=nasty),
        advice=[replace(ADVICE[0], message=nasty)],
        growth=[replace(MEASURED.growth[0], symbol=nasty)],
        baseline=replace(BASELINE, name=nasty, warnings=[nasty]),
        trace=nasty,
        reason=nasty,
    )
    text = shown(replace(PROFILED, measurements=measured), 500)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[bold]x[/bold]") >= 8
