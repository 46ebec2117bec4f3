"""What stays alive over calls."""

import gc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._pytree import tree_leaves

from verifykit.experiments.behaviour.passes import differentiable_outputs, leaves_of
from verifykit.experiments.behaviour.state import kept_by, storage_key
from verifykit.results import Location
from verifykit.spec.subject import Subject
from verifykit.tracing import OperatorMode, user_line

CALLS = 4


class Births(OperatorMode):
    """Notes, without keeping it alive, every storage that is made while it is active, and the user's line."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[StorageWeakRef, Location | None]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {storage_key(leaf) for leaf in tree_leaves((args, kwargs or {}))}
        for tensor in tree_leaves(result):
            key = storage_key(tensor)
            if key is not None and key not in given:
                reference = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
                self.made[key] = (reference, user_line())
        return result

    def alive(self) -> list[Location | None]:
        """The lines that made those that are still there."""
        return [line for reference, line in self.made.values() if not reference.expired()]  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Growth:
    """The lines whose tensors outlive two later calls, for each of the first calls; the same after a garbage
    collection; and by how much containers grow with each call.
    """

    before_collection: Sequence[list[Location | None]]
    after_collection: Sequence[list[Location | None]]
    containers: dict[str, int]


def growth_of(subject: Subject, module: nn.Module) -> Growth:
    """Call ``module`` a few times, at one size and with gradients, and see what stays."""
    births: list[Births] = []
    snapshots = [kept_by(module)]
    collects = gc.isenabled()
    gc.disable()
    try:
        for seed in range(CALLS):
            inputs, _ = leaves_of(subject, module, seed)
            with Births() as made, suppress(Exception):
                differentiable_outputs(subject, module, inputs, seed)
            births.append(made)
            snapshots.append(kept_by(module))
        before = after = [made.alive() for made in births[: CALLS - 2]]
    finally:
        if collects:
            gc.enable()
    if all(before):
        gc.collect()
        after = [made.alive() for made in births[: CALLS - 2]]
    steps = [one.grown(other) for one, other in pairwise(snapshots[1:])]
    containers = {name: by for name, by in steps[0].items() if all(name in step for step in steps)}
    return Growth(before, after, containers)
