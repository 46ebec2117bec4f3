"""Copying parameters and buffers from one module into another that names or lays them out differently."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Unmatched(Exception):
    """The two modules do not hold the same set of tensors."""


@dataclass(frozen=True)
class Pair:
    """A tensor of the target and the one of the reference that plays its part, transposed or not."""

    target: str
    reference: str
    transposed: bool


def match_state(target: nn.Module, reference: nn.Module) -> list[Pair]:
    """Pair the parameters and buffers of two modules: by name and shape, then by a shape that only one on each side
    has, then by such a shape transposed.

    Raises:
        Unmatched: something is left over on either side.
    """
    ours, theirs = _state(target), _state(reference)
    pairs = [Pair(name, name, False) for name in ours if name in theirs and ours[name] == theirs[name]]
    for transposed in (False, True):
        for name, shape in _unpaired(ours, [pair.target for pair in pairs]).items():
            wanted = shape[::-1] if transposed else shape
            left = _unpaired(theirs, [pair.reference for pair in pairs])
            rivals = _unpaired(ours, [pair.target for pair in pairs])
            fits = [other for other, candidate in left.items() if candidate == wanted]
            if len(fits) == 1 and list(rivals.values()).count(shape) == 1:
                pairs.append(Pair(name, fits[0], transposed))
    loose = [
        *_unpaired(ours, [pair.target for pair in pairs]),
        *(f"the reference's {name}" for name in _unpaired(theirs, [pair.reference for pair in pairs])),
    ]
    if loose:
        raise Unmatched(f"no counterpart by name or shape for {', '.join(loose)}")
    return pairs


def copy_state(target: nn.Module, reference: nn.Module, pairs: list[Pair]) -> None:
    """Give ``reference`` the values of ``target``, pair by pair."""
    ours, theirs = _tensors(target), _tensors(reference)
    with torch.no_grad():
        for pair in pairs:
            value = ours[pair.target]
            theirs[pair.reference].copy_(value.mT if pair.transposed else value)


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _state(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in _tensors(module).items()}


def _unpaired(state: Mapping[str, tuple[int, ...]], paired: list[str]) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in state.items() if name not in paired}
