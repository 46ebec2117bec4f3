"""Built-ins with one general deviation: their inputs or their output are changed, as any operation's may be.

The definitions name what is peculiar to an operation; this names what may befall all of them.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor, nn

from verifykit.identify.candidate import Candidate
from verifykit.identify.catalogue.candidates import candidates as built_in
from verifykit.identify.definitions.changes import Change, after, before, reductions
from verifykit.identify.definitions.coinciding import candidates as coinciding
from verifykit.identify.facts import Facts
from verifykit.identify.screening import SAME, related
from verifykit.spec.effort import effort
from verifykit.spec.reference import Reference
from verifykit.targets import Target

# Built-ins that are looked at, ways to call each of them, and seconds of work for all.
MOST, EACH, SECONDS = 1000, 3, 0.8
# They come after the definitions.
RANK = 200


@dataclass(frozen=True)
class Departure:
    """What is done to the inputs of an operation and to its output, and how one says that."""

    phrase: str
    inputs: Callable[[Sequence[Tensor]], list[Tensor]]
    output: Callable[[Tensor, Sequence[Tensor]], Tensor]


class Departing(nn.Module):
    """An operation whose inputs or output are changed."""

    def __init__(self, operation: Reference, departure: Departure) -> None:
        super().__init__()
        self.operation = operation.build(torch.float64, "cpu", seed=0)
        self.departure = departure

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.departure.output(self.operation(*self.departure.inputs(inputs)), inputs)


def candidates(facts: Facts) -> Iterator[Candidate]:
    """Yield built-ins without state that give what was seen where their inputs or output are changed in one way."""
    yield from coinciding(facts)
    outputs = list(facts.outputs.values())
    if facts.state or facts.random or len(outputs) != 1:
        return
    deadline = effort() + SECONDS
    seen: Counter[str] = Counter()
    for base in islice(_bases(facts), MOST):
        if effort() > deadline:
            return
        seen[base.operation] += 1
        if seen[base.operation] > EACH:
            continue
        for departure in _departures(facts, base, outputs[0]):
            yield replace(
                base,
                reference=Reference(
                    Target("Departing", Departing, "class", None), {"operation": base.reference, "departure": departure}
                ),
                deviations=(departure.phrase,),
                rank=RANK + base.rank,
            )


def _bases(facts: Facts) -> Iterator[Candidate]:
    """What is built in, losses before they are reduced."""
    scalar = all(output.ndim == 0 for output in facts.outputs.values())
    for candidate in built_in(facts):
        if scalar and "reduction" in inspect.signature(candidate.reference.target.obj).parameters:
            init = {**candidate.reference.init, "reduction": "none"}
            candidate = replace(candidate, reference=replace(candidate.reference, init=init))
        yield candidate


def _departures(facts: Facts, base: Candidate, wanted: Tensor) -> Iterator[Departure]:
    """Those with which ``base`` gives ``wanted`` at the inputs that were seen first."""
    try:
        module = base.reference.build(torch.float64, facts.subject.device, seed=0)
        with torch.no_grad():
            plain = module(*facts.inputs)
    except Exception:  # arguments or inputs that it does not take
        return
    if not isinstance(plain, Tensor):
        return
    reduces = [None] if wanted.ndim or not plain.ndim else list(reductions())
    for reduce in reduces:
        for change in after(plain, facts.inputs):
            departure = _at_the_end(change, reduce)
            if _gives(departure.output(plain, facts.inputs), wanted):
                yield departure
        for place, x in enumerate(facts.inputs):
            name = facts.subject.input_names[place] if len(facts.inputs) > 1 else "its input"
            for change in before(x, facts):
                departure = _at_first(change, place, name, reduce)
                try:
                    with torch.no_grad():
                        found = departure.output(module(*departure.inputs(facts.inputs)), facts.inputs)
                except Exception:  # values or sizes that it does not take
                    continue
                if _gives(found, wanted):
                    yield departure


def _gives(found: Tensor, wanted: Tensor) -> bool:
    if found.shape != wanted.shape or found.dtype != wanted.dtype or not bool(found.isfinite().all()):
        return False
    return related([(wanted, found)])[2] <= SAME


def _at_the_end(change: Change, reduce: Change | None) -> Departure:
    def output(y: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        y = change.make(y, inputs)
        return y if reduce is None else reduce.make(y, inputs)

    return Departure(_said("", change, reduce), list, output)


def _at_first(change: Change, place: int, name: str, reduce: Change | None) -> Departure:
    def changed(inputs: Sequence[Tensor]) -> list[Tensor]:
        return [change.make(x, inputs) if i == place else x for i, x in enumerate(inputs)]

    def output(y: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        y = change.back(y) if change.back is not None else y
        return y if reduce is None else reduce.make(y, inputs)

    return Departure(_said(name, change, reduce), changed, output)


def _said(name: str, change: Change, reduce: Change | None) -> str:
    parts = [change.phrase.format(input=name), reduce.phrase if reduce is not None else ""]
    return ", and ".join(part for part in parts if part)
