"""Cotangents of awkward memory layout, and feeding them to autograd as they are."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.gradients.function import Linearization, Tensors, norm_of_product

# Two evaluations of one gradient in double precision may differ by this share of its greatest element.
SAME = 1e-9
# A gradient that moves the outputs by less than this share of them, as its leaf moves by its own size, is judged as if
# it moved them by that much.
NEGLIGIBLE = 1e-5


class _Feed(torch.autograd.Function):
    """A scalar whose backward hands a given tensor, strides and all, to the output that it was made from."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, cotangent: Tensor) -> Tensor:
        ctx.cotangent = cotangent
        return output.real.sum().to(torch.float64)

    @staticmethod
    def backward(ctx: Any, _: Tensor) -> Any:
        return ctx.cotangent, None


def pull(linear: Linearization, cotangents: list[Tensor | None]) -> Tensors:
    """Return the gradient of every leaf, zeros where there is none; the cotangents reach the graph as they are."""
    fed = [
        _Feed.apply(output, cotangent)  # type: ignore[no-untyped-call]
        for output, cotangent in zip(linear.outputs, cotangents, strict=True)
        if output.requires_grad and cotangent is not None
    ]
    if not fed:
        return [torch.zeros_like(leaf) for leaf in linear.leaves]
    total = torch.stack(fed).sum()
    found = torch.autograd.grad(total, linear.leaves, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, linear.leaves, strict=True)]


def layouts(tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the same values under other strides and offsets."""
    if tensor.ndim >= 2:
        yield "transposed", tensor.mT.contiguous().mT
    wide = torch.zeros((*tensor.shape, 2), dtype=tensor.dtype, device=tensor.device)
    wide[..., 1] = tensor
    yield "sliced, with a storage offset", wide[..., 1]


def floors_of(linear: Linearization, cotangents: Tensors) -> list[float]:
    """Return for each leaf the gradient that moves the outputs by a negligible share."""
    size = norm_of_product(cotangents, linear.values)
    return [
        NEGLIGIBLE * size / max(float(leaf.detach().abs().max()), 1e-3) if leaf.numel() else 0.0
        for leaf in linear.leaves
    ]


def difference(one: Tensors, other: Tensors, usual: Tensors, floors: Sequence[float]) -> tuple[int, float]:
    """Return which leaf's gradients differ the most, and by what share of the greatest element of its ``usual`` one: a
    gradient that happens to cancel out is no measure of its own rounding error, nor is one that is zero but for that,
    for which there are ``floors``.
    """
    worst = (0, 0.0)
    for index, (a, b, c, floor) in enumerate(zip(one, other, usual, floors, strict=True)):
        if a.numel() == 0:
            continue
        scale = max(floor, *(float(t.abs().max()) for t in (a, b, c)))
        share = float((a - b).abs().max()) / scale if scale else 0.0
        if not share <= worst[1]:
            worst = (index, share)
    return worst
