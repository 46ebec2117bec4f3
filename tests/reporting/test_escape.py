import io
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.reporting.test_formats import FINDING, FULL, REPORT
from verifykit.reporting import render
from verifykit.reporting.escape import block, code, inline, visible
from verifykit.reporting.terminal import print_report
from verifykit.results import Audit, CheckOutcome, Report, SpecFacts, Verified

NASTY = [
    "<script>alert(1)</script>",
    "a | b | c",
    "line\n# heading\n\n- item",
    "`code` ``more`` ```",
    "[link](javascript:x) ![image](y)",
    "\x1b[31mred\x1b[0m\x07\x00",
    "\u202eright to left",
    "\ud800 surrogate",
    "[bold]markup[/bold]",
    "**bold** _under_ __init__ ~~gone~~",
    "1. one",
    "# heading",
    "$math$ <!-- comment -->",
]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec=None, exclude_categories=()), max_size=40))


def report(text: str) -> Report:
    finding = msgspec.structs.replace(FINDING, message=text, evidence={text: text}, reproduce=f"{text}\n{text}")
    checks = [
        CheckOutcome("a", "failed", None, 0.1, [finding]),
        CheckOutcome("b", "crashed", text),
        CheckOutcome("c", "passed", None, 0.1, [], [Verified(text, 1, 0.0, text)]),
    ]
    spec = SpecFacts({text: text}, [], [], {})
    audit: Audit = msgspec.structs.replace(FULL, target=text or "x", checks=checks, spec=spec)
    return msgspec.structs.replace(REPORT, audits=[audit])


def outside_code(page: str) -> str:
    """The page without fenced blocks, escaped characters and code spans, read as a Markdown parser reads them."""
    plain, rest = "", re.sub(r"(?ms)^(`{3,})\w*$.*?^\1$", "", page)
    while rest:
        if rest[0] == "\\":
            rest = rest[2:]
        elif rest[0] == "`":
            fence = re.match("`+", rest)[0]  # type: ignore[index]
            closing = re.search(rf"(?<!`){fence}(?!`)", rest[len(fence) :])
            assert closing is not None, "an open code span"
            rest = rest[len(fence) + closing.end() :]
        else:
            plain, rest = plain + rest[0], rest[1:]
    return plain


@given(TEXT)
def test_no_text_breaks_the_page(text: str) -> None:
    page = render(report(text), "markdown")
    page.encode()
    assert all(character.isprintable() or character == "\n" for character in page.replace("\t", ""))
    plain = outside_code(page)
    assert not re.search(r"<[a-zA-Z/!]", plain)
    assert sum(line.startswith("#") for line in plain.splitlines()) == 9
    for table in re.findall(r"(?:^\|.*\|\n?)+", plain, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@given(TEXT)
def test_no_text_reaches_the_terminal_as_control_codes_or_markup(text: str) -> None:
    stream = io.StringIO()
    print_report(report(text), Console(file=stream, width=500, highlight=False))
    shown = stream.getvalue()
    shown.encode()
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@given(TEXT)
def test_json_of_any_text_is_json(text: str) -> None:
    render(report(text), "json").encode()


@pytest.mark.parametrize("text", NASTY)
def test_code_spans_and_blocks_hold_their_text(text: str) -> None:
    span = code(text)
    fence = re.match(r"`+", span)
    assert fence is not None
    assert span.endswith(fence[0])
    assert fence[0] not in span[len(fence[0]) : -len(fence[0])]
    first, *_, last = block(text).split("\n")
    assert first == last
    assert block(text).count(first) == 2


def test_what_is_harmless_stays_as_it_is() -> None:
    assert (
        inline("output[0, 1] differs by 2.5 in x_mean (at most)")
        == r"output\[0, 1\] differs by 2.5 in x_mean (at most)"
    )
    assert visible("tab\tand\nnewline é µ") == "tab\tand\nnewline é µ"
