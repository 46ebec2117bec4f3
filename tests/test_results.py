import pytest

from verifykit.results import Audit, AuditError, CheckOutcome, Environment, Finding, Report, exit_code

ENVIRONMENT = Environment("3.11", "2.13", "Linux", "cpu", 2)
PASSED = Audit("a:B", "passed", checks=[CheckOutcome("gradient", "passed")])
WARNED = Audit("a:B", "passed", checks=[CheckOutcome("x", "failed", findings=[Finding("m", "warning")])])
FAILED = Audit("a:B", "failed", checks=[CheckOutcome("x", "failed", findings=[Finding("m", "error")])])
ERROR = Audit("a:B", "error", AuditError("target", "not there"))
INCOMPLETE = Audit("a:B", "incomplete", checks=[CheckOutcome("x", "crashed", "boom")])


@pytest.mark.parametrize(
    ("audits", "fail_on", "code"),
    [
        ([PASSED], "error", 0),
        ([WARNED], "error", 0),
        ([WARNED], "warning", 1),
        ([FAILED], "error", 1),
        ([FAILED], "never", 0),
        ([ERROR], "error", 2),
        ([ERROR], "never", 2),
        ([INCOMPLETE], "error", 3),
        ([FAILED, ERROR, INCOMPLETE], "error", 1),
        ([PASSED, ERROR, INCOMPLETE], "error", 2),
    ],
)
def test_exit_codes(audits: list[Audit], fail_on: str, code: int) -> None:
    assert exit_code(Report(ENVIRONMENT, 0, audits), fail_on) == code  # type: ignore[arg-type]


def test_findings_come_worst_first() -> None:
    findings = [Finding("1", "note"), Finding("2", "error"), Finding("3", "warning"), Finding("4", "error")]
    audit = Audit("a:B", "failed", checks=[CheckOutcome("x", "failed", findings=findings)])
    assert [finding.message for finding in audit.findings] == ["2", "4", "3", "1"]
