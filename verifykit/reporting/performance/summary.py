"""What a module costs in one sentence and in one line."""

from collections.abc import Iterator

from verifykit.reporting import units
from verifykit.reporting.escape import visible
from verifykit.reporting.performance.baseline import headline
from verifykit.reporting.performance.roofline import is_beyond, is_far_beyond, reached_text
from verifykit.reporting.performance.words import sizes_text, summary_of
from verifykit.results.cost import Profile, Ratio
from verifykit.results.growth import Quantity, Roofline
from verifykit.results.performance import Measurements

# The limit is told at a second size where so much more of it is reached there.
_MUCH_MORE = 2.0
# An interquartile range beyond this part of the median is none that a quiet machine has.
_BUSY = 0.25


def summary(measured: Measurements) -> str:
    """How fast it is against its reference, how near the limit of the machine, and how it grows: one sentence of plain
    text, to be escaped; empty where nothing was measured.
    """
    return "; ".join(_clauses(measured)) + "." if measured.profile else ""


def setting(profile: Profile) -> str:
    """Return the sentence that says how it was measured: plain text."""
    at = f" at {sizes_text(profile.sizes)}" if profile.sizes else ""
    threads = f"{profile.threads} thread{'' if profile.threads == 1 else 's'}"
    modes = "eval mode, a training step in training mode" if profile.step else "eval mode"
    return f"Measured{at} in {profile.dtype} on {threads}, {modes}."


def how_compared(measured: Measurements) -> str:
    """Return how the ratios of times are obtained: plain text; empty where there are none."""
    if measured.forward_ratio is None:
        return ""
    return (
        "Ratios are taken of the fastest block of each round, in which both ran in turn: the median over the rounds, "
        "which need not be that of the times, and its 95% interval."
    )


def disturbed(measured: Measurements) -> str:
    """Return that times vary much, and by how much: plain text; empty where they do not."""
    profiles = [profile for profile in (measured.profile, measured.reference) if profile is not None]
    timings = [timing for p in profiles for timing in (p.forward, p.backward, p.step) if timing is not None]
    most = max((timing.iqr / timing.median for timing in timings if timing.median > 0), default=0.0)
    if most <= _BUSY:
        return ""
    rest = "; the ratios, from rounds in turn, are more certain" if measured.forward_ratio is not None else ""
    return f"The machine was busy while this was measured: times vary by up to {units.share(most)}{rest}."


def line(measured: Measurements) -> str:
    """What a module costs in one line, harmless to a terminal; empty where nothing was to be measured."""
    profile = measured.profile
    if profile is None:
        return f"not profiled: {_folded(measured.reason)}" if measured.reason else ""
    parts = [f"forward {units.seconds(profile.forward.median)}"]
    if measured.forward_ratio is not None:
        parts[-1] += f", {units.ratio(measured.forward_ratio)}"
    if profile.backward is not None:
        parts.append(f"backward {units.seconds(profile.backward.median)}")
        if measured.backward_ratio is not None:
            parts[-1] += f", {units.ratio(measured.backward_ratio)}"
    flops = units.count(profile.work.forward_flops)
    parts.append(f"{units.count(profile.parameters)} parameters, {flops} forward FLOPs")
    if measured.reference is not None:
        parts.append(f"against {_folded(measured.reference.name)}")
    return f"cost: {'; '.join(parts)}"


def _folded(text: str) -> str:
    return " ".join(visible(text).split())


def _clauses(measured: Measurements) -> Iterator[str]:
    profile, reference = measured.profile, measured.reference
    assert profile is not None
    if profile.step is not None:
        told, ratio = f"A training step takes {units.seconds(profile.step.median)}", measured.step_ratio
    else:
        told, ratio = f"A forward takes {units.seconds(profile.forward.median)}", measured.forward_ratio
    if profile.sizes:
        told += f" at {sizes_text(profile.sizes)}"
    if reference is not None and ratio is not None:
        told += f", {_against(reference.name, ratio)}"
    yield told
    if measured.baseline is not None:
        yield headline(measured.baseline)
    if measured.roofline is not None:
        yield from _reached(measured.roofline, profile.sizes)
    quantities: tuple[Quantity, ...] = ("time", "peak memory")
    if laws := [text for quantity in quantities if (text := summary_of(measured.growth, quantity))]:
        yield ", ".join(laws)


def _against(name: str, ratio: Ratio) -> str:
    """The interval last: ``1.60x slower than torch.nn:Linear (1.55 to 1.66)``."""
    words, bracket, interval = units.ratio(ratio).partition(" (")
    return f"{words} {'than' if ratio.is_measured else 'from'} {name}{bracket}{interval}"


def _reached(roofline: Roofline, sizes: dict[str, int]) -> Iterator[str]:
    """The share of the limit at the usual sizes, and where it is at its best, of the points that have a share; nothing
    where it hardly moves anything at some size, so that its shares at others are none either.
    """
    if any(is_far_beyond(point) for point in roofline.points):
        return
    points = [point for point in roofline.points if not is_beyond(point)]
    if not points:
        return
    best = max(points, key=lambda point: point.reached)
    usual = next((point for point in points if point.sizes == sizes), best)
    told = f"forward reaches {reached_text(usual, roofline.roof)} of the limit of this machine"
    if usual.sizes != sizes:
        told += f" at {sizes_text(usual.sizes)}"
    elif best.reached >= _MUCH_MORE * usual.reached:
        told += f", and {reached_text(best, roofline.roof)} at {sizes_text(best.sizes)}"
    yield told
