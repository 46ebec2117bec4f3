"""Audits every planted bug and twin with the whole catalogue and writes ``reports/corpus.md``: ``make corpus``."""

import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from tabulate import tabulate

from tests.corpus.entries import Entry, entries
from tests.corpus.silence import findings
from tests.torch_modules import KNOWN
from tests.upstream import UPSTREAM
from verifykit.checks.registry import load_checks
from verifykit.config import TargetConfig
from verifykit.reporting.escape import inline
from verifykit.results import Finding
from verifykit.testing import audit_target

PATH = Path("reports/corpus.md")


@dataclass(frozen=True)
class Row:
    """What the whole catalogue said of one planted bug and of its correct twin, notes aside."""

    entry: Entry
    wrong: list[Finding]
    right: list[Finding]
    seconds: float

    @property
    def is_caught(self) -> bool:
        return any(finding.rule == self.entry.caught_by for finding in self.wrong)

    @property
    def beside(self) -> list[str]:
        """Other checks that have something to say of the bug too."""
        return sorted({finding.rule for finding in self.wrong} - {self.entry.caught_by})

    @property
    def false_alarms(self) -> list[Finding]:
        return [finding for finding in self.right if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.right if finding.severity == "warning"]


def main() -> None:
    """Audit all, two at a time, write the page, and fail where a bug is missed or a twin is accused."""
    with ProcessPoolExecutor(2) as pool:
        silence = pool.submit(_silence)
        rows = [*pool.map(_audited, entries())]
        quiet = silence.result()
    PATH.write_text("\n\n".join(_page(rows, quiet)) + "\n")
    bad = [row.entry.id for row in rows if not row.is_caught or row.false_alarms]
    errors = [
        f"{name} {check}"
        for name, check, severity, _ in quiet
        if severity in ("error", "crashed") and (name, check) not in UPSTREAM
    ]
    sys.exit(f"missed or accused: {', '.join([*bad, *errors])}: see {PATH}" if bad or errors else 0)


def _audited(entry: Entry) -> Row:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    checks = load_checks()
    started = time.monotonic()
    wrong, right = (_serious(entry.target(twin)) for twin in ("Wrong", "Right"))
    seconds = (time.monotonic() - started) / 2
    if not checks[entry.caught_by].default:
        wrong += _serious(entry.target("Wrong"), entry.caught_by)
        right += _serious(entry.target("Right"), entry.caught_by)
    return Row(entry, wrong, right, seconds)


def _serious(target: str, *select: str) -> list[Finding]:
    audit = audit_target(target, TargetConfig(), select=select)
    return [finding for finding in audit.findings if finding.severity != "note"]


def _silence() -> list[tuple[str, str, str, str]]:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    return [row for row in findings() if row[2] != "note"]


def _page(rows: list[Row], quiet: list[tuple[str, str, str, str]]) -> list[str]:
    by_family: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_family[row.entry.family].append(row)
    seconds = sorted(row.seconds for row in rows)
    return [
        "# The catalogue on planted bugs, measured",
        f"torch {torch.__version__}; written by `make corpus`. Every bug of `tests/corpus/`, and the correct twin that "
        "stands beside it, audited with all checks that run by default, and the check that is to catch it. "
        "*Caught*: that check has an error or a warning. *False alarms*: errors on correct twins.",
        tabulate(
            [*(_counts(family, own) for family, own in sorted(by_family.items())), _counts("all", rows)],
            ("family", "planted", "caught", "missed", "false alarms", "twins with a warning", "said by others too"),
            "pipe",
        ),
        f"One audit of a planted bug takes {seconds[len(seconds) // 2]:.2f} s in the median, "
        f"{seconds[int(0.95 * len(seconds))]:.2f} s at the 95th percentile, on one of two busy cores.",
        "## Bugs",
        tabulate(
            [
                (row.entry.id, inline(row.entry.what), f"`{row.entry.caught_by}`", _caught(row), ", ".join(row.beside))
                for row in rows
            ],
            ("bug", "what is wrong", "to be caught by", "caught", "said by others too"),
            "pipe",
        ),
        "## What is said of correct twins",
        _table(
            (
                (row.entry.id, f"`{finding.rule}`", finding.severity or "", inline(finding.message[:200]))
                for row in rows
                for finding in row.right
            ),
            ("twin", "check", "severity", "message"),
        ),
        f"## What is said of the {len(KNOWN)} modules of torch.nn",
        _table(
            (
                (name, f"`{check}`", severity, inline(told[:200] + _upstream(name, check)))
                for name, check, severity, told in quiet
            ),
            ("module", "check", "severity or ending", "message"),
        ),
    ]


def _counts(name: str, rows: list[Row]) -> tuple[str, int, int, int, int, int, int]:
    caught = sum(row.is_caught for row in rows)
    alarms, warned, beside = (
        sum(bool(found) for found in column)
        for column in zip(*((row.false_alarms, row.warnings, row.beside) for row in rows), strict=True)
    )
    return name, len(rows), caught, len(rows) - caught, alarms, warned, beside


def _upstream(name: str, check: str) -> str:
    return f" (torch's own defect: {UPSTREAM[name, check]})" if (name, check) in UPSTREAM else ""


def _caught(row: Row) -> str:
    severities = {finding.severity or "" for finding in row.wrong if finding.rule == row.entry.caught_by}
    return ", ".join(sorted(severities)) or "MISSED"


def _table(rows: Iterable[tuple[str, str, str, str]], headers: tuple[str, ...]) -> str:
    made = [*rows]
    return tabulate(made, headers, "pipe") if made else "Nothing."


if __name__ == "__main__":
    main()
