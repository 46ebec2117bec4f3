"""What a run tells while it goes on. Whoever shows progress or collects results reads these; the run knows neither."""

from dataclasses import dataclass

from verifykit.results import Audit, CheckOutcome


@dataclass(frozen=True)
class AuditStarted:
    """A target is about to be resolved, built and fed."""

    target: str


@dataclass(frozen=True)
class CheckStarted:
    """The check of this id begins; ``position`` counts from 1 up to ``total``."""

    check: str
    position: int
    total: int


@dataclass(frozen=True)
class CheckFinished:
    """A check ended, in whatever way."""

    outcome: CheckOutcome


@dataclass(frozen=True)
class ProfileStarted:
    """Checks are done; time and memory are being measured."""


@dataclass(frozen=True)
class AuditFinished:
    """All there is to know about one target."""

    audit: Audit


Event = AuditStarted | CheckStarted | CheckFinished | ProfileStarted | AuditFinished
