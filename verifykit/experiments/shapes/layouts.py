"""One tensor's values in other memory layouts. What lies between them in storage are other values of its domain."""

from collections.abc import Callable

import torch
from torch import Tensor


def transposed(tensor: Tensor) -> Tensor | None:
    """Its last two dimensions stored the other way round."""
    if tensor.ndim < 2 or min(tensor.shape[-2:]) < 2:
        return None
    return tensor.mT.contiguous().mT


def outer_transposed(tensor: Tensor) -> Tensor | None:
    """Its first two dimensions stored the other way round, as a transpose of batch and sequence leaves them."""
    if tensor.ndim < 3 or min(tensor.shape[:2]) < 2:
        return None
    return tensor.transpose(0, 1).contiguous().transpose(0, 1)


def sliced(tensor: Tensor) -> Tensor | None:
    """The inside of a tensor that is four larger along every dimension."""
    if tensor.ndim == 0 or tensor.numel() < 2:
        return None
    larger = _filled(tensor, [size + 4 for size in tensor.shape])
    inside = larger[tuple(slice(2, -2) for _ in tensor.shape)]
    return inside.copy_(tensor)


def stepped(tensor: Tensor) -> Tensor | None:
    """Every second element of a tensor that is twice as long in its last dimension."""
    if tensor.ndim == 0 or tensor.shape[-1] < 2:
        return None
    return _filled(tensor, [*tensor.shape[:-1], 2 * tensor.shape[-1]])[..., 1::2].copy_(tensor)


def shifted(tensor: Tensor) -> Tensor | None:
    """Contiguous, but not at the beginning of its storage."""
    if tensor.numel() < 2:
        return None
    return _filled(tensor, [tensor.numel() + 8])[8:].view(tensor.shape).copy_(tensor)


def channels_last(tensor: Tensor) -> Tensor | None:
    """The memory format of that name, for four and five dimensions."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    if tensor.ndim not in formats or tensor.shape[1] < 2:
        return None
    return tensor.contiguous(memory_format=formats[tensor.ndim])


def expanded(tensor: Tensor) -> Tensor:
    """All entries along the first dimension in one place, in a storage that is large enough for all of them."""
    storage = _filled(tensor, list(tensor.shape))
    return storage[:1].copy_(tensor[:1]).expand(tensor.shape)


LAYOUTS: dict[str, Callable[[Tensor], Tensor | None]] = {
    "transposed": transposed,
    "transposed in its first two dimensions": outer_transposed,
    "a slice of a larger tensor": sliced,
    "every second element of a larger tensor": stepped,
    "at an offset in its storage": shifted,
    "channels last": channels_last,
}


def _filled(tensor: Tensor, shape: list[int]) -> Tensor:
    """A new tensor of ``shape`` with values of ``tensor``, in another order and over and over: all in its domain."""
    count = torch.Size(shape).numel()
    values = tensor.flatten().flip(0)
    return values.repeat(-(-count // values.numel()))[:count].view(shape).clone()
