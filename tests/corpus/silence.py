"""What the catalogue says of the modules of ``torch.nn``: ``python -m tests.corpus.silence [CHECK...]`` prints it."""

import sys
import warnings
from collections.abc import Iterator, Sequence

from tests.torch_modules import KNOWN
from verifykit.checks.registry import load_checks, select_checks
from verifykit.config import TargetConfig
from verifykit.testing import audit_target


def findings(select: Sequence[str] = ()) -> Iterator[tuple[str, str, str, str]]:
    """Yield module, check, severity (or how the check ended, where that is no verdict), and message."""
    for known in KNOWN:
        audit = audit_target(known.target, TargetConfig(known.init, known.inputs), select=select)
        for outcome in audit.checks:
            if outcome.status in ("crashed", "inconclusive"):
                yield known.name, outcome.check, outcome.status, outcome.reason or ""
            for finding in outcome.findings:
                yield known.name, outcome.check, finding.severity or "error", finding.message


def main(select: Sequence[str]) -> None:
    """Print a line for each, and how many modules there are."""
    warnings.simplefilter("ignore")
    names = [check.id for check in select_checks(load_checks(), select, [])]
    for row in findings(names):
        print(*row, sep=" | ")  # noqa: T201
    print(f"{len(KNOWN)} modules, {len(names)} checks")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
