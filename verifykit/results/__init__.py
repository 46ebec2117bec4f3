"""What a run produces, as plain data: JSON in and out, no torch, no live objects."""

from typing import Any, Literal

import msgspec

from verifykit import __version__
from verifykit.results.identity import Identity
from verifykit.results.location import Location as Location
from verifykit.results.performance import Measurements as Measurements

SCHEMA = "verifykit/1"

Severity = Literal["error", "warning", "note"]
Confidence = Literal["certain", "likely"]
Status = Literal["passed", "failed", "skipped", "inconclusive", "crashed"]
AuditStatus = Literal["passed", "failed", "incomplete", "error"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, or worth knowing.

    A check gives ``message`` (what is wrong, naming the tensor and element) and ``evidence`` (the numbers that
    convince); ``rule`` and ``severity`` are the check's own unless it says otherwise. ``reproduce`` is a command, or
    a script whose first line is the command as a comment, that shows the same thing.
    """

    message: str
    severity: Severity | None = None
    evidence: dict[str, Any] = {}
    location: Location | None = None
    confidence: Confidence = "certain"
    rule: str = ""
    reproduce: str = ""

    @property
    def command(self) -> str:
        """The command line that reproduces it."""
        return self.reproduce.partition("\n")[0].removeprefix("# ")


class Verified(msgspec.Struct, frozen=True):
    """What a check established: ``worst`` is the greatest error seen over ``examples``, to be below ``tolerance``."""

    what: str
    examples: int
    worst: float | None = None
    tolerance: str | None = None


class CheckOutcome(msgspec.Struct, frozen=True):
    """How one check ended. ``reason`` says why it was skipped, could not decide, or crashed; ``identity`` is what one
    that identifies its subject found out.
    """

    check: str
    status: Status
    reason: str | None = None
    seconds: float = 0.0
    findings: list[Finding] = []
    verified: list[Verified] = []
    identity: Identity | None = None


class InputFacts(msgspec.Struct, frozen=True):
    """One forward argument: a dimension is a size or an expression over symbols such as ``N``."""

    name: str
    dtype: str
    shape: list[int | str]
    domain: str


class OutputFacts(msgspec.Struct, frozen=True):
    """One output tensor; ``"?"`` marks a dimension whose law was not found."""

    dtype: str
    shape: list[int | str]


class SpecFacts(msgspec.Struct, frozen=True):
    """How the target was built and fed, and where each part of that knowledge came from."""

    init: dict[str, Any]
    inputs: list[InputFacts]
    outputs: list[OutputFacts] = []
    sources: dict[str, str] = {}


class AuditError(msgspec.Struct, frozen=True):
    """Why a target could not be audited at all."""

    kind: str
    message: str


class Audit(msgspec.Struct, frozen=True):
    """Everything about one target."""

    target: str
    status: AuditStatus
    error: AuditError | None = None
    spec: SpecFacts | None = None
    checks: list[CheckOutcome] = []
    measurements: Measurements = Measurements()

    @property
    def findings(self) -> list[Finding]:
        """All findings, worst severity first, otherwise in the order of the checks."""
        found = [finding for outcome in self.checks for finding in outcome.findings]
        return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity or "error"))

    @property
    def identity(self) -> Identity | None:
        """What the check that identifies it found out."""
        return next((outcome.identity for outcome in self.checks if outcome.identity is not None), None)


class Environment(msgspec.Struct, frozen=True):
    """Where the run took place."""

    python: str
    torch: str
    platform: str
    device: str
    threads: int


class Report(msgspec.Struct, frozen=True):
    """One run over any number of targets: the JSON document of the contract."""

    environment: Environment
    seed: int
    audits: list[Audit]
    command: str = ""
    schema: str = SCHEMA
    verifykit: str = __version__


def exit_code(report: Report, fail_on: Severity | Literal["never"]) -> int:
    """Return the contracted exit code.

    1 where a finding reaches ``fail_on``; else 2 where a target could not be audited; else 3 where a check crashed
    or nothing at all could be verified for a target; else 0.
    """
    if fail_on != "never":
        failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        if any(finding.severity in failing for audit in report.audits for finding in audit.findings):
            return 1
    statuses = {audit.status for audit in report.audits}
    if "error" in statuses:
        return 2
    return 3 if "incomplete" in statuses else 0
