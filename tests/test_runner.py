from collections.abc import Callable, Iterator

import pytest

from verifykit.checks.registry import Check, Inconclusive, Skip, check, load_checks, select_checks
from verifykit.config import TargetConfig
from verifykit.errors import ConfigError
from verifykit.events import AuditFinished, AuditStarted, CheckFinished, CheckStarted, ProfileStarted
from verifykit.results import Audit, Finding, Verified
from verifykit.runner import Plan, audit
from verifykit.spec.subject import Subject


def finds(subject: Subject) -> Iterator[Finding | Verified]:
    yield Finding("wrong", evidence={"by": 2})


def warns(subject: Subject) -> Iterator[Finding | Verified]:
    yield Finding("odd", "warning")


def notes(subject: Subject) -> Iterator[Finding | Verified]:
    yield Finding("by the way", "note")


def verifies(subject: Subject) -> Iterator[Finding | Verified]:
    yield Verified("something", 3)


def crashes(subject: Subject) -> Iterator[Finding | Verified]:
    yield Verified("something", 3)
    raise ZeroDivisionError("by zero")


def skips(subject: Subject) -> Iterator[Finding | Verified]:
    raise Skip("not for this")
    yield


def doubts(subject: Subject) -> Iterator[Finding | Verified]:
    raise Inconclusive("cannot tell")
    yield


def entry(function: Callable[[Subject], Iterator[Finding | Verified]], *requires: str) -> Check:
    return Check(function.__name__, "test", "error", requires, function)


def run(*functions: Callable[[Subject], Iterator[Finding | Verified]], **plan: object) -> Audit:
    checks = [entry(function) for function in functions]
    given = TargetConfig(inputs={"input": "float[N]"}, **plan)  # type: ignore[arg-type]
    *_, last = audit("torch.nn:ReLU", Plan(checks, given, profile=None))
    assert isinstance(last, AuditFinished)
    return last.audit


def test_events_in_order() -> None:
    plan = Plan([entry(verifies)], TargetConfig(inputs={"input": "float[N]"}))
    kinds = [type(event) for event in audit("torch.nn:ReLU", plan)]
    assert kinds == [AuditStarted, CheckStarted, CheckFinished, ProfileStarted, AuditFinished]


@pytest.mark.parametrize(
    ("functions", "status"),
    [
        ([verifies], "passed"),
        ([verifies, warns, notes, skips, doubts], "passed"),
        ([verifies, finds], "failed"),
        ([finds, crashes], "failed"),
        ([verifies, crashes], "incomplete"),
        ([skips, doubts], "incomplete"),
        ([], "incomplete"),
    ],
)
def test_the_status_of_an_audit(functions: list[Callable[..., Iterator[Finding | Verified]]], status: str) -> None:
    assert run(*functions).status == status


def test_one_crash_loses_only_itself() -> None:
    crashed, verified = run(crashes, verifies).checks
    assert crashed.status == "crashed"
    assert "ZeroDivisionError: by zero at tests/test_runner.py:" in (crashed.reason or "")
    assert verified.status == "passed"


def test_findings_are_completed() -> None:
    (finding,) = run(finds).findings
    assert (finding.rule, finding.severity) == ("finds", "error")
    assert finding.location is not None
    assert finding.command == ("verifykit audit torch.nn:ReLU --input 'input: float[N]' --select finds --no-profile")


def test_what_is_allowed_stays_visible_as_a_note() -> None:
    result = run(finds, allow={"finds": "on purpose"})
    assert result.status == "passed"
    assert [(f.severity, f.message) for f in result.findings] == [("note", "wrong (allowed: on purpose)")]


def test_dependents_of_a_failure_are_skipped_naming_it() -> None:
    plan = Plan([entry(finds), entry(verifies, "finds")], TargetConfig(inputs={"input": "float[N]"}), profile=None)
    outcomes = [event.outcome for event in audit("torch.nn:ReLU", plan) if isinstance(event, CheckFinished)]
    assert outcomes[1].status == "skipped"
    assert outcomes[1].reason == "it requires finds, which failed"


def test_a_budget_that_is_used_up_leaves_checks_undecided() -> None:
    plan = Plan([entry(verifies)], TargetConfig(inputs={"input": "float[N]"}), profile=None, budget=1e-9)
    *_, last = audit("torch.nn:ReLU", plan)
    assert isinstance(last, AuditFinished)
    assert last.audit.status == "incomplete"
    assert last.audit.checks[0].status == "inconclusive"


def test_selection_by_id_and_family_in_the_order_of_what_is_required() -> None:
    checks = load_checks()
    chosen = [c.id for c in select_checks(checks, ["shape", "gradient"], [])]
    assert set(chosen) == {"gradient", *(c.id for c in checks.values() if c.family == "shape")}
    assert "parity" not in [c.id for c in select_checks(checks, [], ["parity"])]
    ordered = [c.id for c in select_checks(checks, [], [])]
    for entry in select_checks(checks, [], []):
        assert all(ordered.index(required) < ordered.index(entry.id) for required in entry.requires)
    assert not {c.id for c in checks.values() if not c.default} & set(ordered)
    with pytest.raises(ConfigError, match="Did you mean 'gradient'"):
        select_checks(checks, ["gradeint"], [])


@pytest.mark.parametrize(("id", "message"), [("Not Kebab", "not kebab-case"), ("gradient", "is taken by")])
def test_a_check_with_a_bad_id_is_refused(id: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(id, family="test")(finds)


def test_a_circle_of_requirements_is_refused() -> None:
    one, other = entry(finds, "warns"), entry(warns, "finds")
    with pytest.raises(ConfigError, match="in a circle: finds, warns"):
        select_checks({"finds": one, "warns": other}, [], [])
