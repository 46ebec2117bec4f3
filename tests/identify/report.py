"""Asks about everything and writes ``reports/identify.md``: ``make identify-report``."""

import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tabulate import tabulate

from tests.identify import rows, third_party
from tests.identify.rows import Row
from tests.identify.third_party import Claim
from verifykit.reporting.escape import inline

REPORT = Path("reports/identify.md")

# What must be reached, and the seconds that the identification of a small layer may take.
FOUND, NAMED, SECONDS = 60, 50, 3.0

HEADERS = ("what", "wanted", "said", "right?", "seconds")


def main() -> None:
    """Ask, write the page, and fail where something falls short."""
    reference, same, near, own = rows.reference(), rows.same(), rows.near(), rows.own()
    whole, strange = rows.composed()
    claims = third_party.claims() if third_party.PYTHON.exists() else []
    timed = [row.seconds for row in [*reference, *same, *near, *own] if math.isfinite(row.seconds)]
    goals = [
        ("reference modules identified", right(reference), len(reference), len(reference)),
        ("re-implementations found", found(same), len(same), FOUND),
        ("… in the right relation as well", right(same), len(same), 0),
        ("near misses named", right(near), len(near), NAMED),
        ("near misses not claimed equal", len(near) - claimed(near), len(near), len(near)),
        ("own layers not claimed equal to what they are not", len(own) - claimed(own), len(own), len(own)),
        ("composite losses decomposed", right(whole), len(whole), len(whole)),
        ("composite losses with a strange term, which is admitted", right(strange), len(strange), len(strange)),
        ("third-party classes without a false identity", sum(not c.is_false for c in claims), len(claims), len(claims)),
        (f"identified within {SECONDS:g} s", sum(s <= SECONDS for s in timed), len(timed), len(timed)),
    ]
    sections = [
        ("Reference modules", _table(reference)),
        ("Re-implementations of built-ins", _table(same)),
        ("Near misses", _table(near)),
        ("Own layers that are no built-in", _table(own)),
        ("Composite losses", _table(whole)),
        ("Composite losses with a term outside the dictionary", _table(strange)),
        ("Other people's classes", _third_party(claims)),
    ]
    page = [
        "# Which built-in is it, measured",
        f"torch {torch.__version__}, two processes of one thread each; written by `make identify-report`. The corpus, "
        "`tests/identify/corpus/`, was written without a look at what identification knows. A pattern between slashes "
        "is what a right answer matches. The seconds are what the processor spent on the check `identity`.",
        tabulate(
            [(what, f"{n} of {of}", least or "") for what, n, of, least in goals], ("", "measured", "wanted"), "pipe"
        ),
        f"Time: median {statistics.median(timed):.2f} s, 95th percentile {sorted(timed)[int(0.95 * len(timed))]:.2f} "
        f"s, longest {max(timed):.2f} s.",
        *(part for title, table in sections for part in (f"## {title}", table)),
    ]
    REPORT.write_text("\n\n".join(page) + "\n")
    short = [what for what, n, _, least in goals if n < least]
    sys.exit(f"short of the goal: {', '.join(short)}: see {REPORT}" if short else 0)


def right(of: Sequence[Row]) -> int:
    """How many answers are right in every respect."""
    return sum(not row.verdict for row in of)


def found(of: Sequence[Row]) -> int:
    """How many name the right operation as equal, in whatever relation."""
    return sum(row.verdict in ("", "relation") for row in of)


def claimed(of: Sequence[Row]) -> int:
    """How many are said to equal what they do not."""
    return sum(row.verdict == "claimed equal" for row in of)


def _table(of: Sequence[Row]) -> str:
    wrong_first = sorted(of, key=lambda row: not row.verdict)
    body = [
        (f"`{row.name}`", inline(row.expected), inline(row.said), row.verdict or "yes", f"{row.seconds:.2f}")
        for row in wrong_first
    ]
    return tabulate(body, HEADERS, "pipe", disable_numparse=True)


def _third_party(claims: Sequence[Claim]) -> str:
    if not claims:
        return "Not asked about: `make test-zoo` makes their environment."
    body = [
        (f"`{claim.target}`", third_party.REAL.get(claim.target, ("", ""))[1], inline(claim.text), _false(claim))
        for claim in sorted(claims, key=lambda claim: (not claim.is_false, claim.relation == "none"))
    ]
    return tabulate(body, ("class", "what it is", "said", "right?"), "pipe", disable_numparse=True)


def _false(claim: Claim) -> str:
    return "claimed equal" if claim.is_false else "yes"


if __name__ == "__main__":
    main()
