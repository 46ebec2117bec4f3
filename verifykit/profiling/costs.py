"""The figures of a run that another run can be held against."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from verifykit.profiling.interval import LAYOUT
from verifykit.results.cost import Profile, Ratio, Timing
from verifykit.results.performance import Change, Measurements

Kind = Literal["ratio", "time", "counted", "growth", "growth of time"]


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure, known to lie between ``low`` and ``high``, with its unit."""

    what: str
    kind: Kind
    value: float
    low: float
    high: float
    unit: Literal["s", "B", ""] = ""


def costs_of(measurements: Measurements) -> list[Cost]:
    """Return all figures of the target in ``measurements``."""
    ratios = {
        "forward": measurements.forward_ratio,
        "backward": measurements.backward_ratio,
        "training step": measurements.step_ratio,
    }
    costs = [
        Cost(f"{what} against the reference", "ratio", ratio.value, ratio.low, ratio.high)
        for what, ratio in ratios.items()
        if ratio is not None
    ]
    if measurements.profile is not None:
        costs += [*_times(measurements.profile), *_counted(measurements.profile)]
    return [*costs, *_growth(measurements)]


def change(before: Cost, now: Cost) -> Change | None:
    """Return what became of a figure: the quotient, as uncertain as both together; ``None`` of one that was zero."""
    if before.low <= 0:
        return None
    ratio = Ratio(now.value / before.value, now.low / before.high, now.high / before.low)
    return Change(now.what, before.value, now.value, ratio, now.unit)


def _times(profile: Profile) -> Iterator[Cost]:
    timings: dict[str, Timing | None] = {
        "forward": profile.forward,
        "backward": profile.backward,
        "training step": profile.step,
    }
    for what, timing in timings.items():
        if timing is not None and timing.least > 0:
            # From the fastest block to the upper quartile: what the machine does beside only adds, for as long as a
            # whole run; and code and data lie elsewhere in another.
            low, high = timing.least / (1 + LAYOUT), (timing.median + timing.iqr / 2) * (1 + LAYOUT)
            yield Cost(what, "time", timing.median, low, high, "s")


def _counted(profile: Profile) -> Iterator[Cost]:
    counted: list[tuple[str, float | None, Literal["B", ""]]] = [
        ("FLOPs of forward", profile.work.forward_flops, ""),
        ("FLOPs of backward", profile.work.backward_flops, ""),
        ("bytes that must move", profile.work.least_bytes, "B"),
    ]
    if profile.memory is not None:
        counted += [
            ("peak memory of forward", profile.memory.forward_peak, "B"),
            ("peak memory of backward", profile.memory.backward_peak, "B"),
            ("saved for backward", profile.memory.saved, "B"),
        ]
    if profile.where is not None:
        counted.append(("operators of forward", profile.where.operators_per_call, ""))
    for what, value, unit in counted:
        if value is not None:
            yield Cost(what, "counted", value, value, value, unit)


def _growth(measurements: Measurements) -> Iterator[Cost]:
    """Exponents as the factor by which the cost grows where the size doubles, which is never zero."""
    for growth in measurements.growth:
        for law in growth.laws:
            kind: Kind = "growth of time" if law.quantity == "time" else "growth"
            low, value, high = (2 ** (law.exponent + error) for error in (-law.error, 0.0, law.error))
            yield Cost(f"{law.quantity} as {growth.symbol} doubles", kind, value, low, high)
