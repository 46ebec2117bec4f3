"""Which rows of which tables a call reads for the integers it is given."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from verifykit.results import Location
from verifykit.tracing import Step, trace

# Operations that read or write at the places which integers name.
_INDEXING = {
    "embedding",
    "embedding_bag",
    "index_select",
    "gather",
    "take",
    "take_along_dim",
    "__getitem__",
    "index_add",
}
_INDEXING |= {"index_add_", "scatter", "scatter_", "scatter_add", "scatter_add_", "index_copy", "index_fill", "one_hot"}
# Operations by which code itself brings integers back into a range.
_BOUNDING = {"clamp", "clamp_", "clip", "clamp_max", "clamp_min", "minimum", "maximum", "remainder", "fmod", "__mod__"}
_BOUNDING |= {"where", "masked_fill", "masked_fill_", "__and__", "bitwise_and", "__rmod__", "remainder_", "fmod_"}


@dataclass(frozen=True)
class Reading:
    """An operation that was given places derived from an input: those, what they are places in, the user's line."""

    places: Tensor
    table: Tensor | None
    location: Location | None


@dataclass(frozen=True)
class Trail:
    """What became of an input of integers: the readings, and whether the code bounds it by itself."""

    readings: tuple[Reading, ...]
    bounded: bool


def follow(call: Callable[[], Any], given: Tensor) -> Trail:
    """Run ``call`` and follow what derives from ``given`` to the operations that use it to index."""
    tainted, alive = {id(given)}, [given]
    readings, bounded = list[Reading](), False
    for step in trace(call, keep_values=True):
        touched = [t for t in step.inputs if id(t) in tainted]
        if not touched:
            continue
        name = step.name.rpartition(".")[2]
        whole = [t for t in touched if _is_integer(t)]
        if name in _INDEXING and whole and not (name == "__getitem__" and _is_base(step, whole)):
            readings += [Reading(t.detach().clone(), next(iter(step.inputs), None), step.location) for t in whole]
        bounded |= name in _BOUNDING and bool(whole)
        made = [t for t in step.outputs if not t.is_floating_point() and not t.is_complex()]
        tainted |= {id(t) for t in made}
        alive += made
    return Trail(tuple(readings), bounded)


def places(readings: Iterable[Reading]) -> list[set[int]]:
    """Return the distinct places of each reading."""
    return [set(reading.places.flatten().tolist()) for reading in readings]


def _is_base(step: Step, touched: list[Tensor]) -> bool:
    """Whether the integers are what is indexed, as in ``edges[0]``, and not the index."""
    return bool(step.inputs) and step.inputs[0] is touched[0] and len(touched) == 1


def _is_integer(tensor: Tensor) -> bool:
    return tensor.dtype in (torch.int64, torch.int32, torch.int16, torch.int8)
