"""What autograd keeps from forward to backward, tensor by tensor, with the line that made it do so."""

from collections.abc import Iterator
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.profiling.graph import is_custom, nodes_of
from verifykit.profiling.workload import Workload
from verifykit.results import Location
from verifykit.results.cost import SavedTensor
from verifykit.spec.subject import named_tensors
from verifykit.targets import locate
from verifykit.tracing import user_line

_PREFIX = "_saved_"


def saved_tensors(load: Workload) -> list[SavedTensor]:
    """Return the tensors that one forward keeps for its backward, the largest first, each storage once; parameters,
    buffers and what the module is fed are there anyhow and left out. What a custom function keeps as an attribute of
    its context counts as well.
    """
    kept: dict[int, tuple[torch.UntypedStorage, SavedTensor]] = {}
    there = {_key(t) for t in (*load.module.parameters(), *load.module.buffers(), *load.inputs)}
    fed: list[Any] = []  # copies of the inputs, where the module changes them; they live until the end

    def note(tensor: Tensor, location: Location | None) -> None:
        if tensor.layout is torch.strided and tensor.untyped_storage().nbytes():
            kept.setdefault(_key(tensor), (tensor.untyped_storage(), _described(tensor, location)))

    def pack(tensor: Tensor) -> Tensor:
        note(tensor, user_line())
        return tensor

    hook = load.module.register_forward_pre_hook(lambda _, *given: fed.append(given), with_kwargs=True, prepend=True)
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = load.forward()
    finally:
        hook.remove()
    functions: dict[int, str] = {}
    # In the order of forward: where several nodes keep one tensor, it is the first that makes it stay.
    for node in sorted(nodes_of(named_tensors(result).values()), key=lambda node: node._sequence_nr()):
        for tensor in _saved_by(node):
            functions.setdefault(_key(tensor), node.name())
        for tensor in _attributes(node):
            note(tensor, locate(node._forward_cls.forward))
            functions.setdefault(_key(tensor), node.name())
    there |= {_key(leaf) for leaf in tree_leaves(fed) if isinstance(leaf, Tensor)}
    # While the storages in `kept` live, no key stands for two of them.
    found = [replace(saved, function=functions.get(key)) for key, (_, saved) in kept.items() if key not in there]
    return sorted(found, key=lambda saved: -saved.bytes)


def _key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata if tensor.layout is torch.strided else id(tensor)


def _saved_by(node: Any) -> Iterator[Tensor]:
    """The tensors that a node of the graph keeps, by the attributes that torch gives them."""
    names = ["saved_tensors"] if is_custom(node) else [n for n in dir(node) if n.startswith(_PREFIX)]
    for name in names:
        try:
            values = getattr(node, name)
        except RuntimeError:  # it was changed in place since, or freed
            continue
        yield from (value for value in tree_leaves(values) if isinstance(value, Tensor))


def _attributes(node: Any) -> Iterator[Tensor]:
    if is_custom(node):
        yield from (value for value in tree_leaves(dict(vars(node))) if isinstance(value, Tensor))


def _described(tensor: Tensor, location: Location | None) -> SavedTensor:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return SavedTensor(tensor.untyped_storage().nbytes(), list(tensor.shape), dtype, location)
