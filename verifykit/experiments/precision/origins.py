"""Where a floating-point type that should not be there came from: a cast, a tensor made in the call, or one held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from verifykit.experiments.precision.runs import expected, is_float
from verifykit.results import Location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import Step, trace

Kind = Literal["cast", "made", "held"]


@dataclass(frozen=True)
class Origin:
    """``cast``: a step turned a tensor of the right type into another; ``made``: a step made one out of no
    floating-point tensor; ``held``: no step made it, so the module holds it or it comes from outside torch.

    ``location`` is the line of that step, or where a held tensor was used; ``is_last`` says that nothing was computed
    with it afterwards: it is the output.
    """

    kind: Kind
    location: Location | None
    step: str
    is_last: bool


def followed(subject: Subject, dtype: torch.dtype) -> tuple[list[Step], dict[str, Tensor]]:
    """Return the steps of one call in ``dtype`` and its outputs, none if it raised."""
    module, inputs = subject.build(dtype), subject.draw(dtype=dtype)
    outputs: dict[str, Tensor] = {}

    def call() -> None:
        with torch.no_grad(), seeded(subject.seed):
            outputs.update(named_tensors(subject.call(module, inputs)))

    # The first step holds the inputs and the module's own tensors, which keeps them alive and known.
    own = (*inputs, *module.parameters(), *module.buffers())
    return [Step("inputs", None, (), own), *trace(call)], outputs


def origin_of(steps: Sequence[Step], output: Tensor, dtype: torch.dtype) -> Origin:
    """Return where the type of ``output``, which is not ``dtype``, came from; casts first, since they are meant."""
    found, seen = list[Origin](), set[tuple[int, int]]()
    pending: list[tuple[Tensor, int, Location | None]] = [(output, len(steps), None)]
    while pending:
        tensor, before, used = pending.pop()
        index = next((i for i in range(before - 1, -1, -1) if any(t is tensor for t in steps[i].outputs)), None)
        if index is None:
            found.append(Origin("held", used, "", tensor is output))
            continue
        if (id(tensor), index) in seen:
            continue
        seen.add((id(tensor), index))
        step = steps[index]
        floats = [t for t in step.inputs if is_float(t)]
        odd = [t for t in floats if not expected(t, dtype)]
        # A single number does not change the type of what it is combined with.
        weighty = [t for t in odd if t.ndim] if any(t.ndim for t in odd) else odd
        if not odd:
            found.append(Origin("cast" if floats else "made", step.location, step.name, tensor is output))
        pending += [(t, index, step.location) for t in weighty]
    order: tuple[Kind, ...] = ("cast", "made", "held")
    return min(found, key=lambda origin: order.index(origin.kind))
