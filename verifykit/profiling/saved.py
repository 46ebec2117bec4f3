"""What autograd keeps from forward to backward, tensor by tensor, with the line that made it do so."""

from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.profiling.workload import Workload
from verifykit.results import Location
from verifykit.results.performance import SavedTensor
from verifykit.tracing import user_line


@dataclass(frozen=True)
class _Kept:
    storage: torch.UntypedStorage
    tensor: SavedTensor


def saved_tensors(load: Workload) -> list[SavedTensor]:
    """Return the tensors that one forward keeps for its backward, the largest first, each storage once; parameters,
    buffers and the inputs themselves are there anyhow and left out.
    """
    there = [*load.module.parameters(), *load.module.buffers(), *load.inputs]
    own = {t.untyped_storage().data_ptr() for t in there}
    kept: dict[int, _Kept] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and storage.data_ptr() not in kept:
            kept[storage.data_ptr()] = _Kept(storage, _described(tensor, user_line()))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = load.forward()
    del result
    # While the storages in `kept` live, no address stands for two tensors.
    return sorted((one.tensor for one in kept.values()), key=lambda saved: -saved.bytes)


def _described(tensor: Tensor, location: Location | None) -> SavedTensor:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return SavedTensor(tensor.untyped_storage().nbytes(), list(tensor.shape), dtype, location)
