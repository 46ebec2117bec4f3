"""saved for backward: much is kept from forward to backward that elementwise operators would make again at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.profiling.advice.words import figure, size
from verifykit.profiling.workload import Workload
from verifykit.results import Location
from verifykit.results.cost import Memory
from verifykit.results.performance import Advice
from verifykit.tracing import OperatorMode, user_line

# What is made elementwise and saved, in inputs, outputs and parameters and as a share of all that is saved, from which
# it is told.
TIMES = 4.0
SHARE = 0.7
# Elementwise, but copies: where one is spared, that is the better advice.
_COPIES = ("clone", "copy_", "_to_copy")


@dataclass(frozen=True)
class _Maker:
    """The operator that made a storage, whether it is elementwise, and the line that asked for it."""

    name: str
    is_elementwise: bool
    location: Location | None


class _Makers(OperatorMode):
    def __init__(self) -> None:
        super().__init__()
        self.makers: dict[int, _Maker] = {}
        self.alive: list[Tensor] = []  # so that no address stands for two

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.rpartition("::")[2]
        maker = _Maker(name, torch.Tag.pointwise in func.tags and name not in _COPIES, user_line())
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.layout is torch.strided and not func.is_view:
                self.makers[tensor.untyped_storage().data_ptr()] = maker
                self.alive.append(tensor)
        return result


def recomputable(load: Workload, memory: Memory) -> Iterator[Advice]:
    """Name the largest elementwise tensor that is saved, where saved tensors are large and most are like it."""
    around = memory.inputs + memory.outputs + memory.parameters
    if not around or memory.saved < TIMES * around:
        return
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.layout is torch.strided:
            saved.setdefault(tensor.untyped_storage().data_ptr(), tensor.detach())
        return tensor

    with load.default(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), _Makers() as made:
        load.forward()
    cheap = [(made.makers[at], tensor) for at, tensor in saved.items() if at in made.makers]
    cheap = [(maker, tensor) for maker, tensor in cheap if maker.location and maker.is_elementwise]
    total = sum(_bytes(tensor) for _, tensor in cheap)
    if total < max(SHARE * memory.saved, TIMES * around):
        return
    maker, tensor = max(cheap, key=lambda one: _bytes(one[1]))
    what = "mask" if tensor.dtype is torch.bool else f"result of {maker.name}"
    yield Advice(
        "saved for backward",
        f"saved tensors are {figure(memory.saved / around)}x inputs, outputs and parameters, "
        f"{total / memory.saved:.0%} of them elementwise: the largest, "
        f"the {what} at line {maker.location.line if maker.location else 0} "
        f"({size(_bytes(tensor))}), could be recomputed in backward (torch.utils.checkpoint, or one fused function)",
        maker.location,
        min(1.0, total / max(memory.backward_peak or 0, memory.forward_peak, memory.saved)),
        {"saved": memory.saved, "elementwise": total, "inputs, outputs and parameters": around},
    )


def _bytes(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().nbytes())
