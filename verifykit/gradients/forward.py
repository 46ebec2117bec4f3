"""Forward-mode derivatives by dual numbers, to be judged like those of backward."""

from typing import Any

import torch.autograd.forward_ad as forward_ad
from torch import Tensor

from verifykit.gradients.function import Function, Tensors, inner

# Untyped in torch.
_make_dual: Any = forward_ad.make_dual
_unpack_dual: Any = forward_ad.unpack_dual


def forward_derivative(function: Function, point: Tensors, tangents: Tensors, cotangents: Tensors) -> float:
    """Return ``<cotangents, jvp(tangents)>``; an operator without forward mode raises ``NotImplementedError``."""
    with forward_ad.dual_level():
        duals = [_make_dual(p, v.to(p.dtype)) for p, v in zip(point, tangents, strict=True)]
        pushed: list[Tensor] = []
        used: list[Tensor] = []
        for output, cotangent in zip(function.outputs(duals), cotangents, strict=True):
            tangent = _unpack_dual(output).tangent
            if tangent is not None:
                pushed.append(tangent.detach())
                used.append(cotangent)
        return inner(used, pushed)
