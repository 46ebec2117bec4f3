"""Helpers for tests: audit a target, or run a single check on it."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from verifykit.checks.registry import load_checks, select_checks
from verifykit.config import TargetConfig
from verifykit.events import AuditFinished
from verifykit.experiments.behaviour.globals import put_back
from verifykit.reporting.verdict import verdict
from verifykit.results import Audit, AuditStatus, CheckOutcome
from verifykit.runner import Plan, audit, prepare, run_check


def audit_target(
    name: str,
    given: TargetConfig,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    seed: int = 0,
) -> Audit:
    """Return the audit of the target called ``name``, without a profile.

    Raises:
        ConfigError: ``select`` or ``ignore`` names no check and no family.
    """
    plan = Plan(select_checks(load_checks(), select, ignore), given, seed=seed, profile=None)
    return next(event.audit for event in audit(name, plan) if isinstance(event, AuditFinished))


def run_one(
    check: str,
    target: str,
    *,
    init: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
    reference: str | None = None,
    seed: int = 0,
) -> CheckOutcome:
    """Run the check of this id on a target: what an author of checks wants in a test.

    Raises:
        ConfigError: there is no such check.
        UserError: the target cannot be built or fed.
    """
    (entry,) = select_checks(load_checks(), [check], [])
    given = TargetConfig(dict(init or {}), dict(inputs or {}), reference)
    with put_back():
        subject, _ = prepare(target, Plan([entry], given, seed=seed))
    return run_check(entry, subject)


def reproduce(
    check: str,
    target: str,
    *,
    init: Mapping[str, Any],
    inputs: Mapping[str, str],
    reference: str | None = None,
    seed: int = 0,
) -> NoReturn:
    """Run one check on a target, print what it says and exit: with 1 for findings, 3 undecided, 0 passed or skipped."""
    outcome = run_one(check, target, init=init, inputs=inputs, reference=reference, seed=seed)
    status: AuditStatus = "failed" if outcome.findings else "passed"
    sys.stdout.write(failure_message(Audit(target, status, None, None, [outcome])) + "\n")
    sys.exit({"failed": 1, "inconclusive": 3, "crashed": 3}.get(outcome.status, 0))


def failure_message(result: Audit) -> str:
    """Return what a person needs to see of an audit that did not pass: each finding, or why nothing was decided."""
    lines = [f"{result.target} {verdict(result)}"]
    if result.error is not None:
        lines.append(result.error.message)
    for finding in result.findings:
        lines += ["", f"{finding.severity} {finding.rule} {finding.location or ''}".rstrip(), f"  {finding.message}"]
        lines += [f"    {name}: {value}" for name, value in finding.evidence.items()]
        lines += [f"  reproduce: {finding.command}"] if finding.reproduce else []
    lines += [
        f"{outcome.check} {outcome.status}: {outcome.reason}"
        for outcome in result.checks
        if outcome.status in ("crashed", "inconclusive")
    ]
    return "\n".join(lines)
