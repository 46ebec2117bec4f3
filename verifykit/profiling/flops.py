"""FLOP formulas: those of ``torch.utils.flop_counter``, those that it lacks, and one that it has wrong.

As there, what counts is products and sums of products, two FLOPs for each term: no bias, no activation, no softmax.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

Formula = Callable[..., int]

aten = torch.ops.aten


def _recurrent(input: Tensor, weight_ih: Tensor, weight_hh: Tensor, *_: Any, **__: Any) -> int:
    """One direction of one layer of an RNN, GRU or LSTM with ``G`` = 1, 3 or 4 gates. Each of ``T`` steps multiplies a
    vector of each of ``N`` sequences by ``weight_ih`` (G·H x I), and the state by ``weight_hh`` (G·H x H):
    ``2·T·N·G·H·(I + H)``. A packed input holds the ``T·N`` vectors in one dimension.
    """
    return 2 * prod(input.shape[:-1]) * (weight_ih.numel() + weight_hh.numel())


def _recurrent_layers(input: Tensor, weights: list[Tensor], *_: Any, **__: Any) -> int:
    """The same, summed over layers and directions: every matrix, also that of a projection, meets every vector once."""
    return 2 * prod(input.shape[:-1]) * sum(w.numel() for w in weights if w.ndim > 1)


def _twice(formula: Formula) -> Formula:
    """The backward of a product ``y = x·W`` computes ``dx = dy·Wᵀ`` and ``dW = xᵀ·dy``, each as large as itself. Fused
    kernels compute both, wanted or not.
    """
    return lambda *args, **kwargs: 2 * formula(*args, **kwargs)


def _convolution_backward(
    grad: Tensor,
    input: Tensor,
    weight: Tensor,
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    output_mask: list[bool],
    **_: Any,
) -> int:
    """Forward multiplies each number of ``weight`` at each position of the output (of the input, where transposed) of
    each sample: ``2·N·positions·numel(weight)``, with groups too, whose weight is the smaller. Each of these products
    has one for the gradient by the input and one for that by the weight. (torch's own formula leaves the groups out of
    the latter.)
    """
    positions = prod((input if transposed else grad).shape[2:])
    return 2 * input.shape[0] * positions * weight.numel() * sum(output_mask[:2])


def _trilinear(
    one: Tensor,
    two: Tensor,
    three: Tensor,
    expand1: list[int],
    expand2: list[int],
    expand3: list[int],
    sumdim: list[int],
    unroll_dim: int = 1,
    **_: Any,
) -> int:
    """``nn.Bilinear``, forward and backward: the first two are multiplied and summed over the dimensions that the third
    does not have, then what is left with the third; the unrolled dimension is a loop. Forward of N samples, ``O``
    outputs and inputs of I and J: ``2·N·O·I·J + 2·N·O·J``.
    """

    def sizes(tensor: Tensor, expanded: list[int]) -> list[int]:
        own = iter(tensor.shape)
        return [1 if dim in expanded else next(own) for dim in range(tensor.ndim + len(expanded))]

    first = [max(pair) for pair in zip(sizes(one, expand1), sizes(two, expand2), strict=True)]
    left = [1 if d in sumdim and d in expand3 and d != unroll_dim else size for d, size in enumerate(first)]
    second = [max(pair) for pair in zip(left, sizes(three, expand3), strict=True)]
    return 2 * prod(first) + 2 * prod(second)


def _matrix_vector(matrix: Tensor, vector: Tensor, **_: Any) -> int:
    return 2 * matrix.numel()


def _inner(one: Tensor, two: Tensor, **_: Any) -> int:
    return 2 * one.numel()


def _euclidean(one: Tensor, two: Tensor, **_: Any) -> int:
    """``torch.cdist`` of more than 25 points: one product of ``[-2x, |x|², 1]`` with ``[y, 1, |y|²]``."""
    return 2 * one.numel() // one.shape[-1] * two.shape[-2] * (one.shape[-1] + 2)


def _temporal(input: Tensor, weight: Tensor, *_: Any, out_val: Tensor, **__: Any) -> int:
    """``aten::conv_tbc``: ``weight`` (K x C_in x C_out) at each step and sample of the output."""
    return 2 * out_val.shape[0] * out_val.shape[1] * weight.numel()


def _after_first(formula: Formula) -> Formula:
    """For what adds a product to its first argument."""
    return lambda _added, *args, **kwargs: formula(*args, **kwargs)


def _own() -> dict[Any, Formula]:
    mm, bmm = flop_registry[aten.mm], flop_registry[aten.bmm]
    formulas: dict[str, Formula] = {
        "mkldnn_rnn_layer": _recurrent,
        "mkldnn_rnn_layer_backward": _twice(_recurrent),
        "_cudnn_rnn": _recurrent_layers,
        "_cudnn_rnn_backward": _twice(_recurrent_layers),
        "miopen_rnn": _recurrent_layers,
        "miopen_rnn_backward": _twice(_recurrent_layers),
        "_scaled_dot_product_flash_attention_for_cpu": flop_registry[aten._scaled_dot_product_flash_attention],
        "_scaled_dot_product_flash_attention_for_cpu_backward": flop_registry[
            aten._scaled_dot_product_flash_attention_backward
        ],
        "convolution_backward": _convolution_backward,
        "conv_tbc": _temporal,
        "_trilinear": _trilinear,
        "_euclidean_dist": _euclidean,
        "mv": _matrix_vector,
        "addmv": _after_first(_matrix_vector),
        "addmv_": _after_first(_matrix_vector),
        "dot": _inner,
        "vdot": _inner,
        "_int_mm": mm,
        "_addmm_activation": _after_first(mm),
        "addmm_": _after_first(mm),
        "baddbmm_": _after_first(bmm),
        "addbmm": _after_first(bmm),
        "addbmm_": _after_first(bmm),
    }
    # Names differ between releases and builds of torch.
    return {getattr(aten, name): formula for name, formula in formulas.items() if hasattr(aten, name)}


_OWN = _own()


# (a + bi)(c + di) is four products and two sums, and adding it to another two more: eight FLOPs for two.
COMPLEX = 4


def flops_of(func: Any, args: Any, kwargs: Any, result: Any) -> int | None:
    """Return the FLOPs of one call of an operator, as a dispatch mode sees it; ``None`` where there is no formula that
    knows such arguments. Formulas that users have registered with torch count too.
    """
    operator = getattr(func, "_overloadpacket", func)
    formula = _OWN.get(operator) or flop_registry.get(operator)
    if formula is None:
        return None
    try:
        is_complex = any(t.is_complex() for t in tree_leaves(result) if isinstance(t, Tensor))
        return int(formula(*args, **kwargs, out_val=result)) * (COMPLEX if is_complex else 1)
    except Exception:  # a formula that does not know such arguments, as of nested tensors, is none
        return None
