"""All that is measured of a target and its reference in one run, as plain data."""

from typing import Any, Literal

import msgspec

from verifykit.results.cost import Profile, Ratio
from verifykit.results.growth import Growth, Roofline
from verifykit.results.location import Location


class Compiled(msgspec.Struct, frozen=True):
    """The module under ``torch.compile``: seconds that compiling took, and compiled / as it is, below 1 is faster."""

    seconds: float
    forward: Ratio | None
    step: Ratio | None


class Advice(msgspec.Struct, frozen=True):
    """What to do, in one sentence with its figures, all measured in this run; ``kind`` groups it, ``gain`` is the share
    of a step's time or memory that is at stake, from 0 to 1.
    """

    kind: str
    message: str
    location: Location | None = None
    gain: float = 0.0
    evidence: dict[str, Any] = {}


class Change(msgspec.Struct, frozen=True):
    """A cost now as a multiple of what it was in a saved baseline; below 1 is better."""

    what: str
    before: float
    now: float
    ratio: Ratio
    unit: Literal["s", "B", ""] = ""


class BaselineComparison(msgspec.Struct, frozen=True):
    """This run against a saved one. ``warnings`` say in what the two cannot be compared."""

    name: str
    saved: str
    changes: list[Change]
    warnings: list[str] = []


class Measurements(msgspec.Struct, frozen=True):
    """The target's profile and, from the same run, the reference's; ratios are target / reference, below 1 is faster.

    ``trace`` is the name of the gzipped chrome trace written beside the report. ``reason`` says why something, or
    everything, was not measured.
    """

    profile: Profile | None = None
    reference: Profile | None = None
    forward_ratio: Ratio | None = None
    backward_ratio: Ratio | None = None
    step_ratio: Ratio | None = None
    roofline: Roofline | None = None
    growth: list[Growth] = []
    compiled: Compiled | None = None
    advice: list[Advice] = []
    baseline: BaselineComparison | None = None
    trace: str | None = None
    reason: str | None = None
