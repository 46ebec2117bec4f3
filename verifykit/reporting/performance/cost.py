"""Tables of time, memory and work, beside the reference's."""

from collections.abc import Callable, Iterator, Sequence

from verifykit.reporting import units
from verifykit.reporting.escape import code, inline
from verifykit.reporting.performance.places import place
from verifykit.reporting.tables import table
from verifykit.results.cost import Memory, Profile, Ratio, SavedTensor, Timing, Work
from verifykit.results.performance import Compiled, Measurements

SAVED_SHOWN = 6

# Left out where there is nothing of it.
_SELDOM = ("buffers", "kept by each further call")

Row = Sequence[str]


def costs(measured: Measurements, of_times: Sequence[str] = ()) -> Iterator[str]:
    """Yield a table each of time, memory and work, and what belongs to them; ``of_times`` are sentences of plain text
    to stand below the times.
    """
    profiles = [profile for profile in (measured.profile, measured.reference) if profile is not None]
    own = profiles[0]
    yield _table("time", profiles, _times(measured, profiles))
    if of_times:
        yield inline(" ".join(of_times))
    if measured.compiled is not None:
        yield compiled_text(measured.compiled)
    yield _table("memory", profiles, list(_memory(profiles)))
    yield _table("work", profiles, list(_work(profiles)))
    if own.work.uncounted:
        shares = (f"{code(one.name)} ({units.share(one.share)} of the time)" for one in own.work.uncounted)
        yield f"Without a FLOP formula, so not counted: {', '.join(shares)}."
    if own.memory is not None and own.memory.saved_tensors:
        yield "Saved for the backward, the largest first:"
        yield _saved(own.memory.saved_tensors)
    if own.memory is not None and own.memory.kept_per_call and own.memory.kept_at is not None:
        kept = f"{units.size(own.memory.kept_per_call)} more with each call"
        yield f"It holds {kept}, kept at {place(own.memory.kept_at)}."


def compiled_text(found: Compiled) -> str:
    """Return what ``torch.compile`` gains in one sentence of plain text."""
    parts = [("forward", found.forward), ("a training step", found.step)]
    told = ", ".join(f"{name} {units.ratio(ratio)}" for name, ratio in parts if ratio is not None)
    return (
        f"Under torch.compile, {told or 'nothing could be timed'}; it took {units.seconds(found.seconds)} to compile."
    )


def _times(measured: Measurements, profiles: Sequence[Profile]) -> list[Row]:
    parts: list[tuple[str, Ratio | None, Callable[[Profile], Timing | None]]] = [
        ("forward", measured.forward_ratio, lambda p: p.forward),
        ("backward", measured.backward_ratio, lambda p: p.backward),
        ("training step", measured.step_ratio, lambda p: p.step),
    ]
    return [
        (name, *(_time(of(p)) for p in profiles), "" if ratio is None else units.ratio(ratio))
        for name, ratio, of in parts
        if any(of(p) is not None for p in profiles)
    ]


def _time(timing: Timing | None) -> str:
    if timing is None:
        return "none"
    return f"{units.seconds(timing.median)} ± {units.seconds(timing.iqr)} ({timing.runs:,} runs)"


def _memory(profiles: Sequence[Profile]) -> Iterator[Row]:
    parts: list[tuple[str, Callable[[Memory], float | None]]] = [
        ("peak in forward", lambda m: m.forward_peak),
        ("peak in backward", lambda m: m.backward_peak),
        ("saved for the backward", lambda m: m.saved),
        ("asked of the allocator in all", lambda m: m.allocated),
        ("inputs", lambda m: m.inputs),
        ("outputs", lambda m: m.outputs),
        ("buffers", lambda m: m.buffers),
        ("kept by each further call", lambda m: m.kept_per_call),
    ]
    for name, of in parts:
        values = [None if p.memory is None else of(p.memory) for p in profiles]
        if name not in _SELDOM or any(values):
            yield from _row(name, values, units.size)
    held = [f"{units.size(p.parameter_bytes)} ({units.count(p.parameters)})" for p in profiles]
    yield ("parameters", *held, _compared([p.parameter_bytes for p in profiles]))


def _work(profiles: Sequence[Profile]) -> Iterator[Row]:
    parts: list[tuple[str, Callable[[Work], float | None], Callable[[float], str]]] = [
        ("FLOPs forward", lambda w: w.forward_flops, units.count),
        ("FLOPs backward", lambda w: w.backward_flops, units.count),
        ("bytes that forward must move", lambda w: w.least_bytes, units.size),
        ("intensity of forward", lambda w: w.intensity, lambda value: f"{value:.3g} FLOP/B"),
    ]
    for name, of, show in parts:
        yield from _row(name, [of(p.work) for p in profiles], show)


def _row(name: str, values: Sequence[float | None], show: Callable[[float], str]) -> Iterator[Row]:
    if any(value is not None for value in values):
        yield (name, *("" if value is None else show(value) for value in values), _compared(values))


def _compared(values: Sequence[float | None]) -> str:
    return units.multiple(values[0], values[1]) if len(values) > 1 else ""


def _table(what: str, profiles: Sequence[Profile], rows: Sequence[Row]) -> str:
    columns = [what, *("target", "reference")[: len(profiles)], "compared"]
    return table(columns, rows) if len(profiles) > 1 else table(columns[:-1], [row[:-1] for row in rows])


def _saved(tensors: Sequence[SavedTensor]) -> str:
    rows = [
        (
            units.size(one.bytes),
            code(f"{one.dtype}[{', '.join(map(str, one.shape))}]"),
            place(one.location),
            code(one.function) if one.function else "",
        )
        for one in tensors[:SAVED_SHOWN]
    ]
    shown = table(("size", "tensor", "line", "by"), rows)
    rest = tensors[SAVED_SHOWN:]
    return f"{shown}\n\nand {len(rest)} more, {units.size(sum(one.bytes for one in rest))} together." if rest else shown
