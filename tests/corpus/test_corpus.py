import pytest

from tests.corpus.entries import Entry, entries
from verifykit.checks.registry import load_checks
from verifykit.testing import run_one

ENTRIES = entries()
# The compiler takes up to a minute for a module.
CASES = [
    pytest.param(entry, id=entry.id, marks=[pytest.mark.slow] if entry.caught_by == "compile" else [])
    for entry in ENTRIES
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", CASES)
def test_the_bug_is_caught(entry: Entry) -> None:
    outcome = run_one(entry.caught_by, entry.target("Wrong"))
    assert outcome.status == "failed", outcome
    assert {finding.rule for finding in outcome.findings} == {entry.caught_by}
    assert any(finding.severity in ("error", "warning") for finding in outcome.findings)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", CASES)
def test_its_twin_passes(entry: Entry) -> None:
    outcome = run_one(entry.caught_by, entry.target("Right"))
    assert outcome.status == "passed", outcome


def test_every_file_says_what_is_wrong() -> None:
    checks = load_checks()
    for entry in ENTRIES:
        assert entry.what.endswith("."), entry.id
        assert entry.caught_by in checks, entry.id
