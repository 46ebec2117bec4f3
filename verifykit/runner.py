"""Runs checks over one target and yields events. A check that crashes loses only itself."""

import re
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import torch

from verifykit.checks.registry import Check, Inconclusive, Skip
from verifykit.config import TargetConfig
from verifykit.errors import SpecError, UserError, one_line
from verifykit.events import AuditFinished, AuditStarted, CheckFinished, CheckStarted, Event, ProfileStarted
from verifykit.experiments.behaviour.globals import put_back
from verifykit.profiling.budgets import budgets_for
from verifykit.profiling.extent import BRIEF, Extent
from verifykit.profiling.measuring import measure
from verifykit.reproduction import command_line, script
from verifykit.results import (
    Audit,
    AuditError,
    AuditStatus,
    CheckOutcome,
    Finding,
    Measurements,
    OutputFacts,
    Status,
    Verified,
)
from verifykit.results.identity import Identity
from verifykit.spec.building import raised_at, raised_location
from verifykit.spec.declared import attribute_config, declared_spec
from verifykit.spec.inference.infer import completed
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for
from verifykit.targets import display_path, resolve


@dataclass(frozen=True)
class Plan:
    """What to do with a target: ``given`` is from the command line, ``pinned`` from pyproject. ``budget`` is in
    seconds; ``profile`` says how much is measured, ``trace`` is the file to write the profiler's trace to. With
    ``only_profile`` that is what the run is for, and what was measured counts as done.
    """

    checks: list[Check]
    given: TargetConfig = field(default_factory=TargetConfig)
    pinned: TargetConfig = field(default_factory=TargetConfig)
    seed: int = 0
    device: str = "cpu"
    budget: float | None = None
    profile: Extent | None = BRIEF
    trace: Path | None = None
    only_profile: bool = False


def audit(name: str, plan: Plan) -> Iterator[Event]:
    """Audit the target called ``name``; the last event holds the result, also where the target cannot be used."""
    yield AuditStarted(name)
    started = time.monotonic()
    try:
        with put_back():
            subject, allow = prepare(name, plan)
            outputs = _outputs(subject, required=not plan.only_profile)
            if plan.profile is not None and plan.profile.built_in:
                subject = _beside_built_in(subject)
    except UserError as error:
        yield AuditFinished(Audit(name, "error", AuditError(error.kind, str(error))))
        return
    except Exception as error:  # ours or theirs: it must not cost the other targets their audit
        told = f"{name}: building and feeding it raised{raised_at(error)}: {one_line(error)}"
        yield AuditFinished(Audit(name, "error", AuditError("internal", told)))
        return
    outcomes: dict[str, CheckOutcome] = {}
    for position, check in enumerate(plan.checks, 1):
        yield CheckStarted(check.id, position, len(plan.checks))
        spent = time.monotonic() - started
        if plan.budget is not None and spent > plan.budget:
            outcome = CheckOutcome(check.id, "inconclusive", f"the budget of {plan.budget:g} s was used up")
        else:
            outcome = _allowed(_unless_blocked(check, subject, outcomes, _reproduction(name, plan, check)), allow)
        outcomes[check.id] = outcome
        yield CheckFinished(outcome)
    if plan.profile is not None:
        yield ProfileStarted()
        try:
            measurements = measure(subject, plan.profile, trace=plan.trace)
        except UserError as error:
            if plan.only_profile:
                yield AuditFinished(Audit(name, "error", AuditError(error.kind, str(error))))
                return
            measurements = Measurements(reason=str(error))  # it must not cost the findings
    else:
        measurements = Measurements(reason="switched off")
    done = list(outcomes.values())
    status = _status(done, is_measured=plan.only_profile and measurements.profile is not None)
    yield AuditFinished(Audit(name, status, None, subject.spec.facts(outputs), done, measurements))


def prepare(name: str, plan: Plan) -> tuple[Subject, Mapping[str, str]]:
    """Return the subject that ``name`` stands for, known to build and to accept inputs, and its allowed checks.

    Raises:
        UserError: the target, its spec or its reference cannot be used.
    """
    target = resolve(name)
    attribute = attribute_config(target)
    with threads_for(0):  # what is tried is small
        spec = completed(target, declared_spec(target, plan.given, plan.pinned), plan.seed)
    wanted = plan.given.reference or plan.pinned.reference or attribute.reference
    reference = resolve_reference(wanted, spec.init) if wanted else None
    budgets = budgets_for(spec, [plan.given, plan.pinned, attribute])
    subject = Subject(target, spec, plan.seed, plan.device, reference, budgets=budgets)
    # Profiles are in single precision, and a module that names it need not run in double.
    subject = _tried(subject, torch.float32 if plan.only_profile else torch.float64)
    if reference:
        reference.build(torch.float32, plan.device, seed=plan.seed)
    return subject, {**attribute.allow, **plan.pinned.allow, **plan.given.allow}


def _tried(subject: Subject, dtype: torch.dtype) -> Subject:
    """``subject``, known to work: with torch's default dtype following the one at hand where it works only so."""
    try:
        subject.try_once(dtype)
    except SpecError as error:
        if not re.search(r"dtype|scalar type|Float|Double", str(error)):
            raise
        following = replace(subject, default_follows=True, _shared={})
        try:
            following.try_once(dtype)
        except SpecError:
            raise error from None
        return following
    return subject


def _reproduction(name: str, plan: Plan, check: Check) -> Callable[[], str]:
    command = command_line("audit", [name], plan.given, plan.seed, "--select", check.id, "--no-profile")
    both = TargetConfig(
        {**plan.pinned.init, **plan.given.init},
        {**plan.pinned.inputs, **plan.given.inputs},
        plan.given.reference or plan.pinned.reference,
    )
    return lambda: script(command, check.id, name, both, plan.seed)


def run_check(check: Check, subject: Subject, reproduce: Callable[[], str] = str) -> CheckOutcome:
    """Run one check and say how it ended, whatever it raises.

    ``reproduce`` yields the command or script that findings carry which bring nothing of their own.
    """
    started = time.monotonic()
    findings: list[Finding] = []
    verified: list[Verified] = []
    identity: Identity | None = None
    crash = reason = None
    try:
        with put_back():  # building may change them too
            elements = subject.elements
        with put_back(), threads_for(elements), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the module has to say, it says when it is fed first
            for item in check.function(subject):
                if isinstance(item, Verified):
                    verified.append(item)
                elif isinstance(item, Identity):
                    identity = item
                else:
                    findings.append(_completed(item, check, subject, reproduce))
    except Skip as skip:
        return CheckOutcome(check.id, "skipped", str(skip), time.monotonic() - started)
    except Inconclusive as undecided:
        reason = str(undecided)
    except Exception as error:
        location = raised_location(error)
        if location is not None and location.file != display_path(check.function.__code__.co_filename):
            # By the module's own code, at values or sizes that the check chose.
            reason = f"the module raises{raised_at(error)}: {one_line(error)}"
        else:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            crash = f"{one_line(error)} at {display_path(frame.filename)}:{frame.lineno}"
    seconds = time.monotonic() - started
    if any(finding.severity != "note" for finding in findings):
        return CheckOutcome(check.id, "failed", crash or reason, seconds, findings, verified, identity)
    status: Status = "crashed" if crash else "inconclusive" if reason else "passed"
    return CheckOutcome(check.id, status, crash or reason, seconds, findings, verified, identity)


def _completed(finding: Finding, check: Check, subject: Subject, reproduce: Callable[[], str]) -> Finding:
    severity, guesses = finding.severity or check.severity, subject.spec.guesses
    message = finding.message
    if guesses and severity == "error":
        severity = "warning"
        message += f" (or the inferred range of {', '.join(guesses)} is not what is meant: --input tells)"
    return msgspec.structs.replace(
        finding,
        rule=finding.rule or check.id,
        severity=severity,
        message=message,
        location=finding.location or subject.forward_location,
        reproduce=finding.reproduce or reproduce(),
    )


def _unless_blocked(
    check: Check, subject: Subject, outcomes: Mapping[str, CheckOutcome], reproduce: Callable[[], str]
) -> CheckOutcome:
    for required in check.requires:
        if required in outcomes and outcomes[required].status in ("failed", "crashed"):
            return CheckOutcome(check.id, "skipped", f"it requires {required}, which {outcomes[required].status}")
    return run_check(check, subject, reproduce)


def _allowed(outcome: CheckOutcome, allow: Mapping[str, str]) -> CheckOutcome:
    """Findings that the user has declared to be meant stay visible as notes, with the reason."""
    if outcome.check not in allow or outcome.status != "failed":
        return outcome
    reason = allow[outcome.check]
    notes = [
        msgspec.structs.replace(f, severity="note", message=f"{f.message} (allowed: {reason})")
        for f in outcome.findings
    ]
    return msgspec.structs.replace(outcome, status="passed", findings=notes)


def _outputs(subject: Subject, *, required: bool) -> list[OutputFacts]:
    """What is known of the outputs, in double precision; nothing where the module does not run in it and need not."""
    try:
        return learn_outputs(subject)
    except Exception:
        if required:
            raise
        return []


def _beside_built_in(subject: Subject) -> Subject:
    """``subject`` with the built-in that it equals for a reference, where it has none."""
    if subject.reference is not None:
        return subject
    from verifykit.identify.search import built_in_equal  # and with it Hypothesis, which a quick run does without

    try:
        with put_back(), threads_for(subject.elements):
            return replace(subject, reference=built_in_equal(subject))
    except Exception:  # a search that fails is none
        return subject


def _status(outcomes: list[CheckOutcome], *, is_measured: bool) -> AuditStatus:
    if any(finding.severity == "error" for outcome in outcomes for finding in outcome.findings):
        return "failed"
    ended = {outcome.status for outcome in outcomes}
    is_done = is_measured or bool(ended & {"passed", "failed"})
    return "incomplete" if "crashed" in ended or not is_done else "passed"
