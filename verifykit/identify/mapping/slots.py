"""What a candidate's state is made of: tensors, some of which torch packs of parts along the first dimension."""

import inspect
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from verifykit.identify.mapping.layouts import Shape

# The parts that torch packs into one tensor, in its order, each with what else people call it.
# Sources: the formulas of torch.nn.LSTM, torch.nn.GRU and torch.nn.MultiheadAttention.
_LSTM: dict[str, tuple[str, ...]] = {
    "i": ("input", "in"),
    "f": ("forget",),
    "g": ("cell", "c", "candidate", "cand"),
    "o": ("output", "out"),
}
_GRU: dict[str, tuple[str, ...]] = {
    "r": ("reset",),
    "z": ("update", "u"),
    "n": ("new", "candidate", "cand", "c", "h", "g"),
}
_ATTENTION: dict[str, tuple[str, ...]] = {"q": ("query", "queries"), "k": ("key", "keys"), "v": ("value", "values")}


@dataclass(frozen=True)
class Slot:
    """A part of a candidate's tensor that one piece of the target's state fills: the ``index``-th of ``parts``, or the
    whole where there are none. ``neutral`` is its value where the target may lack it.
    """

    tensor: str
    index: int
    parts: tuple[str, ...]
    shape: Shape
    aliases: frozenset[str]
    parameter: bool
    neutral: float | None

    @property
    def whole(self) -> Shape:
        """The shape of its tensor."""
        return (self.shape[0] * len(self.parts), *self.shape[1:]) if self.parts else self.shape


@dataclass(frozen=True)
class Packed:
    """A tensor of a candidate: its whole shape, the parts it is packed of (none where it is one), its neutral value
    where it may be absent.
    """

    name: str
    shape: Shape
    parts: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]
    parameter: bool
    neutral: float | None
    spatial: int

    @property
    def slots(self) -> list[Slot]:
        """Its parts, in torch's order; itself where it has none."""
        if not self.parts:
            return [Slot(self.name, 0, (), self.shape, frozenset(), self.parameter, self.neutral)]
        piece = (self.shape[0] // len(self.parts), *self.shape[1:])
        return [
            Slot(self.name, index, self.parts, piece, frozenset((part, *names)), self.parameter, self.neutral)
            for index, (part, names) in enumerate(zip(self.parts, self.aliases, strict=True))
        ]


def packed_state(module: nn.Module) -> list[Packed]:
    """Return the tensors of ``module`` that the target has to provide: parameters and running statistics."""
    return list(_packed_state(module))


def is_spare(module: nn.Module, absent: Collection[str]) -> bool:
    """Whether a target may lack the tensors named ``absent``: false where ``module`` could have been built without."""
    options = inspect.signature(type(module).__init__).parameters
    own = {name for name, _ in module.named_parameters()}
    biases = {name for name in own if "bias" in name}
    switch = {"affine", "elementwise_affine"} & options.keys()
    without_bias = "bias" in options and biases and biases <= {*absent}
    return not (without_bias or (switch and own <= {*absent}) or {"running_mean", "running_var"} <= {*absent})


def turns_convolution(module: nn.Module) -> bool:
    """Whether ``module`` is a transposed convolution without a stride: with the channels of its kernel exchanged it is
    a convolution whose kernel is flipped, and is better spoken of as that.
    """
    return isinstance(module, _ConvTransposeNd) and all(stride == 1 for stride in module.stride)


def _packed_state(module: nn.Module) -> Iterator[Packed]:
    for prefix, part in module.named_modules():
        tensors: list[tuple[str, Tensor]] = [*part.named_parameters(recurse=False)]
        if isinstance(part, _NormBase):
            tensors += [(name, t) for name, t in part.named_buffers(recurse=False) if t.is_floating_point()]
        flat = all(tensor.ndim <= 1 for _, tensor in tensors)
        convolution = isinstance(part, _ConvNd)
        for name, tensor in tensors:
            parts = _parts(part, name)
            yield Packed(
                f"{prefix}.{name}".strip("."),
                tuple(tensor.shape),
                tuple(parts),
                tuple(parts.values()),
                isinstance(tensor, nn.Parameter),
                _neutral(name, flat),
                tensor.ndim - 2 if convolution and tensor.ndim > 2 else 0,
            )


def _parts(module: nn.Module, name: str) -> dict[str, tuple[str, ...]]:
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        return _LSTM if "hr" not in name else {}
    if isinstance(module, nn.GRU | nn.GRUCell):
        return _GRU
    if isinstance(module, nn.MultiheadAttention) and name.startswith("in_proj"):
        return _ATTENTION
    return {}


def _neutral(name: str, flat: bool) -> float | None:
    if "bias" in name or name == "running_mean":
        return 0.0
    return 1.0 if flat and (name == "weight" or name == "running_var") else None
