import io
import json
import subprocess
import sys

import jsonschema
import msgspec
import pytest
from rich.console import Console

from verifykit.reporting import render
from verifykit.reporting.terminal import print_report
from verifykit.results import (
    Audit,
    AuditError,
    CheckOutcome,
    Environment,
    Finding,
    InputFacts,
    Location,
    OutputFacts,
    Report,
    SpecFacts,
    Verified,
)
from verifykit.results.cost import OperatorCost, Profile, Ratio, Timing, Uncounted, Work
from verifykit.results.performance import Measurements

PROFILE = Profile(
    "m:L", {"N": 3}, "float32", 2, 18, 72, Timing(1.234e-5, 2e-7, 1000), Timing(4e-5, 1e-6, 900),
    Timing(6e-5, 1e-6, 800), Work(90, 180, 120, [Uncounted("aten.add", 0.25)]),
    [OperatorCost("aten::mm", 1, 4e-6, 5e-6, 36)], [OperatorCost("aten::sum", 2, 4e-6, 5e-6, 4096)],
)  # fmt: skip
FINDING = Finding(
    "the gradient of weight is wrong",
    "error",
    {"leaf": "weight", "ratio": 2.0, "worst": float("inf"), "sizes": {"N": 3}},
    Location("layers.py", 12),
    rule="gradient",
    reproduce="verifykit audit m:L --select gradient",
)
FULL = Audit(
    "m:L",
    "failed",
    spec=SpecFacts(
        {"width": 4, "act": "relu"},
        [InputFacts("x", "float", ["N", 4], "(0, 1)")],
        [OutputFacts("float", ["N", 3])],
        {"init.width": "pyproject", "inputs.x": "command line"},
    ),
    checks=[
        CheckOutcome("gradient", "failed", None, 0.1, [FINDING]),
        CheckOutcome("shape-contract", "passed", None, 0.2, [], [Verified("shapes", 60, 1e-12, "8 ULP")]),
        CheckOutcome("parity", "skipped", "no --reference was given"),
        CheckOutcome("odd", "crashed", "ZeroDivisionError: x"),
        CheckOutcome("unsure", "inconclusive", "too noisy"),
    ],
    measurements=Measurements(
        PROFILE, PROFILE, Ratio(1.5, 1.4, 1.6), Ratio(1.0, 0.97, 1.02), Ratio(1.2, 1.1, 1.3), trace="L.trace.json.gz"
    ),
)
BROKEN = Audit("m:Missing", "error", AuditError("target", "'m' has no attribute 'Missing'."))
REPORT = Report(Environment("3.11", "2.13", "Linux", "cpu", 2), 7, [FULL, BROKEN], "verifykit audit m:L m:Missing")

NULLABLE = {"type": ["string", "null"]}
SCHEMA = {
    "type": "object",
    "required": ["schema", "verifykit", "environment", "seed", "audits"],
    "properties": {
        "schema": {"const": "verifykit/1"},
        "verifykit": {"type": "string"},
        "environment": {"type": "object", "required": ["python", "torch", "platform", "device", "threads"]},
        "seed": {"type": "integer"},
        "audits": {"type": "array", "items": {
            "type": "object",
            "required": ["target", "status", "error", "spec", "checks", "measurements"],
            "properties": {
                "status": {"enum": ["passed", "failed", "incomplete", "error"]},
                "error": {"type": ["object", "null"], "required": ["kind", "message"]},
                "spec": {
                    "type": ["object", "null"],
                    "required": ["init", "inputs", "outputs", "sources"],
                    "properties": {"inputs": {"items": {"required": ["name", "dtype", "shape", "domain"]}},
                                   "outputs": {"items": {"required": ["dtype", "shape"]}}},
                },
                "checks": {"type": "array", "items": {
                    "required": ["check", "status", "reason", "seconds", "findings"],
                    "properties": {
                        "status": {"enum": ["passed", "failed", "skipped", "inconclusive", "crashed"]},
                        "reason": NULLABLE,
                        "findings": {"items": {
                            "required": ["rule", "severity", "confidence", "message", "location", "evidence",
                                         "reproduce"],
                            "properties": {"severity": {"enum": ["error", "warning", "note"]},
                                           "confidence": {"enum": ["certain", "likely"]},
                                           "location": {"type": ["object", "null"], "required": ["file", "line"]}},
                        }},
                    },
                }},
            },
        }},
    },
}  # fmt: skip


def test_json_keeps_the_contract() -> None:
    text = render(REPORT, "json")
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    jsonschema.validate(document, SCHEMA)
    assert next(iter(document)) == "schema"
    assert document["audits"][0]["checks"][0]["findings"][0]["evidence"]["worst"] == "inf"
    assert msgspec.json.decode(text, type=Report).audits[1] == BROKEN


def test_markdown_says_first_what_matters_most() -> None:
    page = render(msgspec.structs.replace(REPORT, audits=[FULL]), "markdown")
    order = [
        "**`m:L` failed: 1 error in gradient; 1 check passed.**",
        "## Findings",
        "layers.py:12",
        "## What was verified",
        "## What was not, and why",
        "## What it costs",
        "1.50x slower",
        "## How it was built and fed",
        "pyproject",
        "## How to repeat it",
        "verifykit audit m:L m:Missing",
        "seed",
    ]
    places = [page.index(piece) for piece in order]
    assert places == sorted(places)
    assert "| `shape-contract` | shapes |         60 | 1e-12" in page or "1e-12" in page
    assert "no --reference was given" in page
    assert "12.3 µs ± 200 ns" in page
    assert "4.00 KiB" in page


def test_markdown_of_several_audits_begins_with_a_summary() -> None:
    page = render(REPORT, "markdown")
    assert page.startswith("# Audit of 2 targets")
    assert "could not be audited" in page
    assert "has no attribute 'Missing'" in page


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_loses_no_word_at_any_width(width: int) -> None:
    stream = io.StringIO()
    print_report(REPORT, Console(file=stream, width=width, highlight=False))
    shown = stream.getvalue()
    words = "m:L failed the gradient of weight is wrong layers.py:12 weight reproduce: crashed ZeroDivisionError:"
    for word in words.split():
        assert word in shown
    assert "\x1b" not in shown


def test_the_terminal_names_what_is_quiet_and_shows_what_is_not() -> None:
    many = [CheckOutcome(f"quiet-{n}", "passed") for n in range(20)]
    stream = io.StringIO()
    audit = msgspec.structs.replace(FULL, checks=[*FULL.checks, *many])
    print_report(msgspec.structs.replace(REPORT, audits=[audit]), Console(file=stream, width=200, highlight=False))
    lines = stream.getvalue().splitlines()
    assert any(line.startswith("21 passed  shape-contract, quiet-0, quiet-1") for line in lines)
    assert "1 skipped  parity" in lines
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["gradient", "failed"],
        ["odd", "crashed"],
        ["unsure", "inconclusive"],
    ]


def test_reporting_is_cheap_to_import() -> None:
    code = "import verifykit.reporting, sys; assert not {'torch', 'rich', 'tabulate'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
