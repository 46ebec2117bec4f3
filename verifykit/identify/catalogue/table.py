"""What cannot be read off torch: classes and functions that are no operations, and operations called in another way."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Classes of torch.nn with a forward that hold or move other modules rather than compute.
NO_OPERATIONS = frozenset({"Sequential", "DataParallel", "SyncBatchNorm"})

# Functions whose result is no function of the values of their inputs, that only say something of them, or that make
# very many numbers of few.
NO_FUNCTIONS = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like", "numel",
     "diagflat", "vander", "combinations", "cartesian_prod",
     "unravel_index", "multi_head_attention_forward", "from_numpy", "frombuffer", "asarray", "gradient", "stft",
     "istft", "quantize_per_tensor", "quantize_per_channel", "quantized_max_pool1d", "quantized_max_pool2d",
     "quantized_batch_norm", "histogram", "histogramdd", "fake_quantize_per_tensor_affine"}
)  # fmt: skip


class SelfAttention(nn.MultiheadAttention):
    """``torch.nn.MultiheadAttention`` of one input, which is query, key and value; with ``is_causal`` no position sees
    a later one. The weights of the attention are not returned.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        is_causal: bool = False,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout=dropout, bias=bias, batch_first=batch_first)
        self.is_causal = is_causal

    def forward(self, x: Tensor) -> Any:  # type: ignore[override]
        """Attend from ``x`` to itself, float (L, N, E), or (N, L, E) with ``batch_first``."""
        mask = None
        if self.is_causal:
            length = x.shape[1 if self.batch_first else 0]
            mask = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]


class CrossAttention(nn.MultiheadAttention):
    """``torch.nn.MultiheadAttention`` of two inputs: the second is key and value. The weights of the attention are not
    returned.
    """

    def forward(self, x: Tensor, context: Tensor) -> Any:  # type: ignore[override]
        """Attend from ``x`` to ``context``, float (L, N, E) and (S, N, F), or with ``batch_first`` (N, L, E) and
        (N, S, F), where F is E or ``kdim`` and ``vdim``.
        """
        return super().forward(x, context, context, need_weights=False)[0]


class LSTMCellOfThree(nn.LSTMCell):
    """``torch.nn.LSTMCell`` whose hidden and cell state are two inputs."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return the next hidden and cell state, both float (N, H)."""
        return super().forward(x, (h, c))


class LSTMOfThree(nn.LSTM):
    """``torch.nn.LSTM`` whose first hidden and cell state are two inputs."""

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> Any:  # type: ignore[override]
        """Return what ``torch.nn.LSTM`` does."""
        return super().forward(x, (h, c))


def self_attention(x: Tensor, is_causal: bool = False, scale: float | None = None) -> Tensor:
    """``torch.nn.functional.scaled_dot_product_attention`` of one input, float (..., L, E): query, key and value."""
    return F.scaled_dot_product_attention(x, x, x, is_causal=is_causal, scale=scale)


# What stands for an operation of torch that is called otherwise: the operation, and how its inputs are then written.
CLASSES_OTHERWISE: dict[type[nn.Module], tuple[str, str]] = {
    SelfAttention: ("torch.nn.MultiheadAttention", "{0}, {0}, {0}"),
    CrossAttention: ("torch.nn.MultiheadAttention", "{0}, {1}, {1}"),
    LSTMCellOfThree: ("torch.nn.LSTMCell", "{0}, ({1}, {2})"),
    LSTMOfThree: ("torch.nn.LSTM", "{0}, ({1}, {2})"),
}
FUNCTIONS_OTHERWISE: dict[Callable[..., Tensor], tuple[str, str]] = {
    self_attention: ("torch.nn.functional.scaled_dot_product_attention", "{0}, {0}, {0}"),
}
