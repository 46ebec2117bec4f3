"""A binding to a C routine hands over the data pointer and the number of elements, and no strides."""

import ctypes
from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


def _read(tensor: Tensor) -> Tensor:
    """Stands for a kernel: reads as many doubles as there are elements from the pointer on."""
    array = (ctypes.c_double * tensor.numel()).from_address(tensor.data_ptr())
    return torch.tensor(list(array), dtype=tensor.dtype).reshape(tensor.shape)


class _Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        values = _read(x) if x.dtype == torch.float64 else x
        return values * values.sigmoid()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return grad * s * (1 + x * (1 - s))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Swish.apply(x)
        return out


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Swish.apply(x.contiguous())
        return out
