"""What is told of cost in Markdown: the order, the figures, what is left out, and text of strangers."""

import io
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from tests.reporting.cost_data import (
    ADVICE,
    ALONG_L,
    ALONG_N,
    BASELINE,
    MEASURED,
    PROFILE,
    PROFILED,
    REFERENCE,
    ROOF,
    ROOFLINE,
    WHERE,
)
from tests.reporting.test_escape import NASTY, outside_code
from verifykit.reporting import render
from verifykit.reporting.performance import section
from verifykit.reporting.performance.roofline import bound_by
from verifykit.reporting.performance.summary import line
from verifykit.reporting.performance.terminal import print_cost
from verifykit.results import CheckOutcome, Environment, Report
from verifykit.results.cost import Timing, Where
from verifykit.results.growth import Roofline, RoofPoint
from verifykit.results.performance import Measurements


def page(measured: Measurements) -> str:
    return "\n\n".join(section(measured, "##"))


def terminal(measured: Measurements) -> str:
    stream = io.StringIO()
    print_cost(measured, Console(file=stream, width=100, highlight=False))
    return stream.getvalue()


def cells(text: str) -> str:
    """The page with the padding of its tables taken out."""
    return re.sub(r" +\|", " |", text)


def test_the_answer_comes_first_then_what_to_do_then_the_figures() -> None:
    text = page(MEASURED)
    order = [
        "## What it costs",
        "3.11x slower than torch.nn:MultiheadAttention",
        "### What to do",
        "1. the loop over the batch costs 86%",
        "(`layers.py:41`)",
        "### Time, memory, work",
        "Measured at N = 8, L = 16 in float32 on 2 threads, eval mode, a training step in training mode.",
        "| time ",
        "| memory ",
        "| work ",
        "Saved for the backward",
        "### Where the time goes",
        "### How far from what this machine can do",
        "### What happens when the input grows",
        "### Operators",
        "### Against the baseline `main`",
        "LoopAttention.trace.json.gz",
    ]
    places = [text.index(piece) for piece in order]
    assert places == sorted(places)


def test_every_figure_has_its_place() -> None:
    text = cells(page(MEASURED))
    for row in (
        "| forward | 1.31 ms ± 40.0 µs (320 runs) | 410 µs ± 9.00 µs (950 runs) | 3.20x slower (3.00 to 3.40) |",
        "| peak in backward | 910 KiB | 600 KiB | 1.52x more |",
        "| saved for the backward | 330 KiB | 210 KiB | 1.57x more |",
        "| asked of the allocator in all | 1.46 MiB | 800 KiB | 1.88x more |",
        "| kept by each further call | 4.00 KiB | 0 B | |",
        "| parameters | 65.0 KiB (16.6 k) | 65.0 KiB (16.6 k) | the same |",
        "| FLOPs forward | 4.72 M | 4.72 M | the same |",
        "| intensity of forward | 35.7 FLOP/B | 35.7 FLOP/B | the same |",
        "| 128 KiB | `float32[8, 4, 64, 16]` | `layers.py:44` | `SoftmaxBackward0` |",
        "| `layers.py:41` | 86% | 1.10 ms | 2.40 ms | 512 KiB | 56 | `aten::addmm`, `aten::bmm`, `aten::copy_` |",
        "| elsewhere | 0.4% | 40.0 µs | | 0 B | 3 | |",
        "| `out` | `Linear` | 15% | 200 µs | 200 µs | 1 |",
        "| `aten::contiguous` | `layers.py:47` | 32.0 KiB | 8 |",
        "| the value of a tensor (.item()) | `layers.py:41` | 8 |",
        "| N = 8, L = 64 | 76.6 FLOP/B | arithmetic | 2.00 ms | 12.6 GFLOP/s | 8.5% | 700 µs | 36.0 GFLOP/s | 24% |",
        "| time | L^1.97 ± 0.05 | 1.00 ms | L = 64 | L^1.95 ± 0.08 (or L log L) | 300 µs |",
        "| operators | N^1.00 | 15 | N = 4 | do not grow with N | 15 |",
        "| 1024 | 92.8 ms | 48.0 MiB | 12.0 MiB | 15 | 33.0 ms | 48.0 MiB | 12.0 MiB | 15 |",
        "| `aten::addmm` | 16 | 410 µs | 450 µs | 96.0 KiB |",
        "| forward, as a multiple of the reference's | 3.6 | 3.2 | 1.12x less (1.03 to 1.25) |",
        "| peak memory | 800 KiB | 910 KiB | 1.14x more |",
        "| step | 4.30 ms | 4.20 ms | no difference measured (0.95 to 1.01) |",
    ):
        assert row in text, row
    for sentence in (
        "not counted: `aten._softmax` (5% of the time), `aten.add` (0.1% of the time).",
        "It holds 4.00 KiB more with each call, kept at `layers.py:47`.",
        "and 3 more, 48.0 KiB together.",
        "Under torch.compile, forward 2.50x faster (2.38 to 2.63), a training step no difference measured (0.96 to "
        "1.02); it took 12.3 s to compile.",
        "Of a step, 62% is Python and dispatch, for 71 operators in a forward; the rest is kernels.",
        "Limits in float32 on cpu with 2 threads: 148 GFLOP/s in a matrix product, 15.2 GB/s from and to memory",
        "The series ended: time of one step over the budget.",
        "At `layers.py:41`: 7 operators more for each unit of N.",
        "**Warning:** it was saved on another machine: 8 threads then, 2 now",
    ):
        assert sentence in text, sentence


def test_what_was_not_measured_is_left_out() -> None:
    work = replace(PROFILE.work, backward_flops=None, uncounted=[])
    bare = replace(PROFILE, sizes={}, backward=None, step=None, memory=None, where=None, work=work)
    text = page(Measurements(replace(bare, forward_operators=[], backward_operators=[])))
    assert re.findall(r"^#+ .*", text, re.MULTILINE) == ["## What it costs", "### Time, memory, work"]
    assert "None" not in text
    for absent in ("backward", "reference", "compared", "peak", "training"):
        assert absent not in text.partition("### Time, memory, work")[2]
    assert page(Measurements(reason="no inputs")).endswith("Not measured: no inputs.")
    assert "Not all was measured: the reference failed." in page(replace(MEASURED, reason="the reference failed"))
    assert "Where the time goes" not in page(replace(MEASURED, profile=replace(PROFILE, where=Where())))


def test_a_part_the_reference_lacks_is_empty_not_wrong() -> None:
    reference = replace(REFERENCE, backward=None, step=None, memory=None)
    text = cells(page(replace(MEASURED, reference=reference, backward_ratio=None)))
    assert "| backward | 2.75 ms ± 90.0 µs (160 runs) | none | |" in text
    assert "| peak in forward | 420 KiB | | |" in text


def test_charts_are_linked_where_there_are_any() -> None:
    assert "![" not in page(MEASURED)
    charted = replace(
        MEASURED,
        roofline=replace(ROOFLINE, chart="a b.roofline.svg"),
        growth=[replace(ALONG_L, chart="growth-L.svg"), ALONG_N],
    )
    text = page(charted)
    assert "](a%20b.roofline.svg)" in text
    assert "![Time of a step and peak memory against L](growth-L.svg)" in text


def test_what_limits_is_read_off_the_roof() -> None:
    assert bound_by(RoofPoint("", {}, 1, 100, 1.0, 0.1), ROOF) == "memory"
    assert bound_by(RoofPoint("", {}, 10_000, 100, 1.0, 0.1), ROOF) == "arithmetic"


@pytest.mark.parametrize(
    ("flops", "reached", "told"),
    [
        (100, 0.99, "99%"),
        (100, 1.04, "100%"),
        (100, 1.72, "faster than memory, as from cache"),
        (0, 1553.0, "moves next to nothing, or stays in cache"),
        (10**9, 1.3, "faster than a matrix product"),
    ],
)
def test_beyond_the_limit_there_is_no_share_of_it(flops: int, reached: float, told: str) -> None:
    point = RoofPoint("m:L", PROFILE.sizes, flops, 1000, 1e-6, reached)
    measured = replace(MEASURED, roofline=Roofline(ROOF, [point]))
    assert f"| {told} |" in cells(page(measured))
    assert told in " ".join(terminal(measured).split())
    assert ("forward reaches" in page(measured)) == (reached <= 1.05)
    assert ("Faster than memory is what stays in a cache" in page(measured)) == (reached > 1.05 and flops < 10**9)
    assert not re.search(r"\b(1[0-9][1-9]|[0-9]{4,})%", page(measured) + terminal(measured))


def test_how_ratios_are_obtained_and_that_the_machine_was_busy() -> None:
    assert "Ratios are taken of the fastest block of each round" in page(MEASURED)
    assert "busy" not in page(MEASURED) + terminal(MEASURED)
    noisy = replace(PROFILE, forward=Timing(1.55e-3, 4.18e-3, 20))
    told = "The machine was busy while this was measured: times vary by up to 270%; the ratios"
    for text in (page(replace(MEASURED, profile=noisy)), terminal(replace(MEASURED, profile=noisy))):
        assert told in " ".join(text.split())
    alone = page(Measurements(noisy))
    assert "vary by up to 270%." in alone
    assert "atios" not in alone


def test_costs_of_no_known_line_are_one_row() -> None:
    lines = [replace(WHERE.lines[2], share=share, operators=[name]) for share, name in ((0.5, "a"), (0.3, "b"))]
    text = cells(page(replace(MEASURED, profile=replace(PROFILE, where=Where([*lines, WHERE.lines[1]])))))
    assert re.findall(r"^\| (?:elsewhere|`layers.py:44`) \| \d+% .*", text, re.MULTILINE) == [
        "| elsewhere | 80% | 80.0 µs | | 0 B | 6 | `a`, `b` |",
        "| `layers.py:44` | 9% | 100 µs | 160 µs | 128 KiB | 8 | `aten::_softmax` |",
    ]


def test_a_law_of_time_that_is_missing_is_told_with_the_reason() -> None:
    found = replace(ALONG_L, laws=ALONG_L.laws[1:])
    told = "no law of time was found along L (why: time of one step over the budget)"
    assert told in page(replace(MEASURED, growth=[found]))
    assert told in " ".join(terminal(replace(MEASURED, growth=[found])).split())


def test_times_of_a_device_have_a_column_of_their_own() -> None:
    on_device = [replace(one, self_device=1e-3) for one in PROFILE.forward_operators]
    text = page(replace(MEASURED, profile=replace(PROFILE, forward_operators=on_device)))
    assert text.count("self time on the device") == 1


def test_a_profile_says_what_it_costs_before_anything_else() -> None:
    text = render(Report(Environment("3.11", "2.13", "Linux", "cpu", 2), 0, [PROFILED]), "markdown")
    assert "**`layers.py:LoopAttention` was profiled.**" in text
    assert "## What was not, and why" not in text
    assert "| device | cpu, up to 2 threads |" in cells(text)
    undecided = replace(PROFILED, checks=[CheckOutcome("performance-budget", "inconclusive", "too near")])
    text = render(Report(Environment("3.11", "2.13", "Linux", "cpu", 1), 0, [undecided]), "markdown")
    assert text.index("## What it costs") < text.index("## What was not, and why")
    assert "| device | cpu, 1 thread |" in cells(text)
    assert msgspec.json.decode(
        render(Report(Environment("", "", "", "", 1), 0, [PROFILED]), "json"), type=Report
    ).audits == [PROFILED]


FREE = {
    *("name", "dtype", "device", "path", "kind", "operator", "operators", "what", "file", "reason", "symbol"),
    *("stopped", "function", "reference", "message", "saved", "trace", "measured", "also", "warnings"),
}


def spoilt(value: Any, text: str, key: str = "") -> Any:
    """``value`` with ``text`` wherever a stranger's text may stand."""
    match value:
        case str() if key in FREE:
            return text
        case Mapping():
            strange = {f"{text}{i}": item for i, item in enumerate(value.values())} if key == "sizes" else None
            return strange or {name: spoilt(item, text, name) for name, item in value.items()}
        case list():
            return [spoilt(item, text, key) for item in value]
        case _:
            return value


@pytest.mark.parametrize("text", NASTY)
def test_no_name_breaks_the_page(text: str) -> None:
    charted = replace(MEASURED, roofline=replace(ROOFLINE, chart="x"), growth=[replace(ALONG_L, chart="x"), ALONG_N])
    measured = msgspec.convert(spoilt(msgspec.to_builtins(charted), text), Measurements)
    shown = page(measured)
    shown.encode()
    assert all(character.isprintable() or character == "\n" for character in shown)
    plain = outside_code(shown)
    assert not re.search(r"<[a-zA-Z/!]", plain)
    assert len(re.findall(r"^#+ ", plain, re.MULTILINE)) == len(re.findall(r"^#+ ", page(charted), re.MULTILINE))
    assert plain.count("](") == 2
    for table in re.findall(r"(?:^\|.*\|\n?)+", plain, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert "\n" not in line(measured)


def test_advice_is_numbered_and_says_where() -> None:
    items = re.findall(r"^\d\. .*", page(MEASURED), re.MULTILINE)
    assert len(items) == len(ADVICE)
    assert items[2] == "3. this .contiguous() copies 32 KiB at every call (`layers.py:47`)"


def test_a_baseline_with_nothing_to_compare_says_so() -> None:
    empty = page(replace(MEASURED, baseline=replace(BASELINE, changes=[])))
    assert "Saved 2026-11-20. Nothing in it could be compared." in empty


def test_many_rows_are_cut_and_counted() -> None:
    many = replace(WHERE, lines=WHERE.lines[:2] * 5)
    assert "and 2 more." in page(replace(MEASURED, profile=replace(PROFILE, where=many)))
