"""integer-range: integers at the ends of their range work, those beyond are refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Skip, check
from verifykit.comparison import worst_difference
from verifykit.errors import one_line
from verifykit.experiments.numerics.indices import Trail, follow, places
from verifykit.experiments.observation import loss_of, outputs_of
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below, Interval
from verifykit.spec.model import InputSpec
from verifykit.spec.randomness import seeded
from verifykit.spec.sampling import integer_range as ends_of
from verifykit.spec.subject import Subject

# From here on single precision no longer tells neighbouring integers apart.
EXACT = 2**24
PAIRS = 8


@dataclass(frozen=True)
class _Integers:
    """One input of integers: its place among the inputs, the least and greatest value, whether those are places."""

    entry: InputSpec
    index: int
    low: int
    high: int
    counts: bool


@check("integer-range", family="numerics", severity="warning")
def integer_range(subject: Subject) -> Iterator[Finding | Verified]:
    """Integers at both ends of their range work, and integers beyond it are refused, not taken for others.

    What:
        Calls the module with the least and the greatest value of each integer input, and with one less and one more. A
        value beyond the range that is accepted is followed to the tables that it indexes: one that reads the row of
        another value is reported. Compares 32-bit with 64-bit integers, looks whether neighbouring values above 2**24
        are told apart, and whether the row of a padding index is zero.

    Why it matters:
        A negative index wraps around to the last row, a shifted one reads its neighbour's: training goes on with the
        wrong embedding, and nothing says so.

    Wrong:
        def forward(self, ids):
            return self.table[ids - 1]  # 0 reads the last row

    Right:
        def forward(self, ids):
            return F.embedding(ids, self.table)

    When to ignore:
        When values beyond the range are brought back into it on purpose.
    """
    wholes = list(_integers(subject))
    if not wholes:
        raise Skip("it has no input of integers")
    module = subject.build()
    for given in wholes:
        yield from _one_input(subject, module, given)
    yield from _padding_rows(module)
    names = ", ".join(f"{given.entry.name} from {given.low} to {given.high}" for given in wholes)
    yield Verified(f"{names}, and beyond", 6 * len(wholes))


def _integers(subject: Subject) -> Iterator[_Integers]:
    sizes = {**subject.spec.bound, **subject.spec.usual_sizes}
    for index, (entry, value) in enumerate(zip(subject.spec.inputs, subject.draw(), strict=True)):
        if entry.dtype != "long" or value.numel() == 0:
            continue
        if isinstance(entry.domain, Below):
            yield _Integers(entry, index, 0, max(evaluate(entry.domain.bound, sizes) - 1, 0), True)
        elif isinstance(entry.domain, Interval):
            yield _Integers(entry, index, *ends_of(entry.domain), False)


def _one_input(subject: Subject, module: nn.Module, given: _Integers) -> Iterator[Finding]:
    """Yield what is wrong with one input; what is refused inside its range makes the rest meaningless."""
    for value in (given.low, given.high):
        try:
            outputs_of(subject, module, _replaced(subject, given, value, everywhere=False))
        except Exception as error:
            yield _refused(given, value, error)
            return
    found = next(_misread(subject, module, given), None) if given.counts else None
    if found is not None:
        yield found
    yield from _narrower(subject, module, given)
    if given.counts and given.high > EXACT + 2 * PAIRS:
        yield from _collisions(subject, given)


def _refused(given: _Integers, value: int, error: Exception) -> Finding:
    told = one_line(error)
    beyond = isinstance(error, IndexError) or "out of bounds" in told or "out of range" in told
    severity: Severity = "error" if beyond else "warning"
    name = given.entry.name
    message = f"{name} = {value}, which its range ({given.entry.domain}) allows, raises: {told}"
    return Finding(message, severity, {"input": name, "value": value}, raised_location(error))


def _misread(subject: Subject, module: nn.Module, given: _Integers) -> Iterator[Finding]:
    """Yield values that read a place which belongs to another value."""
    name = given.entry.name
    inside = [_trail(subject, module, given, value) for value in (given.low, given.high)]
    if not inside[0].readings or len(inside[0].readings) != len(inside[1].readings):
        return
    for value, trail in zip((given.low, given.high), inside, strict=True):
        for reading in trail.readings:
            if reading.places.numel() and int(reading.places.min()) < 0:
                message = f"{name} = {value} reads place {int(reading.places.min())}, which counts from the end"
                yield Finding(message, evidence={"input": name, "value": value}, location=reading.location)
                return
    owned = [one | other for one, other in zip(*(places(trail.readings) for trail in inside), strict=True)]
    loss = loss_of(subject)
    labels = loss is not None and name != loss.prediction  # a negative label says that there is none
    for value in (given.high + 1, given.high + 2, *(() if labels else (-1,))):
        for position in (0, -1):
            trail = _trail(subject, module, given, value, position)
            if len(trail.readings) == len(owned):
                yield from _aliased(module, given, value, trail, inside, owned)


def _aliased(
    module: nn.Module, given: _Integers, value: int, trail: Trail, inside: list[Trail], owned: list[set[int]]
) -> Iterator[Finding]:
    name = given.entry.name
    kept = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    for reading, at_low, at_high, mine in zip(
        trail.readings, inside[0].readings, inside[1].readings, owned, strict=True
    ):
        if reading.places.shape != at_low.places.shape or at_low.places.equal(at_high.places):
            continue
        # all other elements are at the least value
        read = reading.places[reading.places != at_low.places].tolist()
        stray = next((place for place in read if place < 0 or min(mine) <= place <= max(mine)), None)
        if stray is None or (value < 0 and trail.bounded):
            continue
        evidence: dict[str, Any] = {
            "input": name,
            "value": value,
            "range": str(given.entry.domain),
            "place read": stray,
        }
        if trail.bounded:
            message = f"{name} = {value} is beyond its range and brought back into it: it is taken for another value"
            yield Finding(message, "note", evidence, reading.location)
        elif stray < 0:
            message = f"{name} = {value} is not refused: it reads place {stray}, which counts from the end"
            # An id for a table of weights comes from data, where -1 is common; a place among activations does not.
            yield Finding(message, "warning" if id(reading.table) in kept else "note", evidence, reading.location)
        else:
            message = f"{name} = {value} is not refused: it reads place {stray}, which belongs to another value"
            yield Finding(message, "warning", evidence, reading.location)


def _narrower(subject: Subject, module: nn.Module, given: _Integers) -> Iterator[Finding]:
    for value in (given.high, given.low):
        inputs = list(_replaced(subject, given, value, everywhere=True))
        try:
            wide = outputs_of(subject, module, inputs)
            inputs[given.index] = inputs[given.index].int()
            narrow = outputs_of(subject, module, inputs)
        except Exception:  # 32-bit integers are refused: none the wiser, none the worse
            return
        for output, expected in wide.items():
            got = narrow.get(output)
            if got is None or got.shape != expected.shape:
                continue
            worst = worst_difference(got.to(expected.dtype), expected, 0.0)
            if worst is not None and worst.excess > 0:
                yield Finding(
                    f"{given.entry.name} = {value} as 32-bit integers gives another {output} than as 64-bit integers: "
                    "arithmetic on the way overflows",
                    "warning",  # the range says what values there are, not in how many bits they come
                    {"element": list(worst.index), "32-bit": worst.actual, "64-bit": worst.expected},
                )
                return


def _collisions(subject: Subject, given: _Integers) -> Iterator[Finding]:
    """Neighbours beyond 2**24 that give the same output in single precision, where small neighbours do not."""
    module = subject.build(torch.float32)

    def same(value: int) -> bool:
        pair = [
            outputs_of(subject, module, _replaced(subject, given, v, everywhere=True, dtype=torch.float32))
            for v in (value, value + 1)
        ]
        return all(torch.equal(pair[0][name], pair[1][name]) for name in pair[0])

    try:
        beyond = [same(given.high - 1 - 2 * step - given.high % 2) for step in range(PAIRS)]
        small = [same(2 * step) for step in range(PAIRS)]
    except Exception:
        return
    if all(beyond) and not any(small):
        one = given.high - 1 - given.high % 2
        yield Finding(
            f"{given.entry.name} = {one} and {one + 1} give the same output, as do other neighbours above 2**24: "
            "integers are turned into single precision on the way",
            "error",
            {"pairs that collide": PAIRS, "pairs below 16 that collide": 0},
        )


def _padding_rows(module: nn.Module) -> Iterator[Finding]:
    for name, part in module.named_modules():
        index = getattr(part, "padding_idx", None)
        if not isinstance(part, nn.Embedding | nn.EmbeddingBag) or index is None or part.weight.is_meta:
            continue
        row = part.weight.detach()[index]
        if bool((row != 0).any()):
            yield Finding(
                f"the row of the padding index {index} of {name or 'the module'} is not zero, and no gradient will "
                "ever change it: it was overwritten after it had been set to zero",
                evidence={"parameter": f"{name}.weight".strip("."), "greatest value": float(row.abs().max())},
            )


def _replaced(
    subject: Subject, given: _Integers, value: int, *, everywhere: bool, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, ...]:
    inputs = list(subject.draw(dtype=dtype))
    changed = inputs[given.index].clone()
    if everywhere:
        changed.fill_(value)
    else:
        changed.view(-1)[0] = value
    inputs[given.index] = changed
    return tuple(inputs)


def _trail(subject: Subject, module: nn.Module, given: _Integers, value: int, position: int | None = None) -> Trail:
    """Follow ``value`` everywhere, or at one ``position`` with the least value everywhere else."""
    inputs = [t.clone() for t in _replaced(subject, given, value, everywhere=True)]
    if position is not None:
        inputs[given.index].fill_(given.low).view(-1)[position] = value
    failed: list[Exception] = []

    def call() -> None:
        try:
            with torch.no_grad(), seeded(subject.seed):
                subject.call(module, inputs)
        except Exception as error:
            failed.append(error)

    trail = follow(call, inputs[given.index])
    return Trail((), trail.bounded) if failed else trail
