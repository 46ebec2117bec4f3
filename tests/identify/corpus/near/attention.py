"""Softmax and attention with one step wrong."""
# ruff: noqa: ANN204, RUF012

import math

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Near

SQUARE = {"inputs": {"q": "float[N, T, D]", "k": "float[N, T, D]", "v": "float[N, T, D]"}}


class ScaledDotProductAttention(nn.Module):
    """softmax(QK^T / sqrt(d)) V"""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return (q @ k.transpose(-2, -1)).softmax(-1) @ v

    __verifykit__ = {"inputs": {"q": "float[N, T, D]", "k": "float[N, S, D]", "v": "float[N, S, E]"}}


class Lookup(nn.Module):
    """Scores over d, not over its root."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return (q @ k.mT / q.shape[-1]).softmax(-1) @ v

    __verifykit__ = {"inputs": {"q": "float[N, T, D]", "k": "float[N, S, D]", "v": "float[N, S, E]"}}


class Attention(nn.Module):
    """Normalises over the queries."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        return torch.softmax(scores, dim=1) @ v

    __verifykit__ = {"inputs": {"q": "float[N, T, D]", "k": "float[N, S, D]", "v": "float[N, S, E]"}}


class LookBack(nn.Module):
    """Attends to what came before and to the next position."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        t = q.shape[1]
        allowed = torch.ones(t, t, dtype=torch.bool, device=q.device).tril(1)
        scores = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~allowed, float("-inf"))
        return scores.softmax(-1) @ v

    __verifykit__ = SQUARE


class CausalSelfAttention(nn.Module):
    """Masks after the softmax, without normalising again."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
        return weights.tril() @ v

    __verifykit__ = SQUARE


class LookAhead(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        past = torch.ones_like(scores, dtype=torch.bool).tril(-1)
        return scores.masked_fill(past, -math.inf).softmax(-1) @ v

    __verifykit__ = SQUARE


class SigmoidMixer(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch.sigmoid(q @ k.mT / math.sqrt(q.shape[-1])) @ v

    __verifykit__ = SQUARE


class MultiheadAttention(nn.Module):
    """Multi-head self-attention, scaled by the width of the model and not of a head."""

    def __init__(self, embed_dim: int = 6, num_heads: int = 2):
        super().__init__()
        self.h, self.d = num_heads, embed_dim
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.h, -1)).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self._heads(layer(x)) for layer in (self.q_proj, self.k_proj, self.v_proj))
        mixed = (q @ k.mT / math.sqrt(self.d)).softmax(-1) @ v
        return self.out_proj(mixed.transpose(1, 2).flatten(2))

    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}


class ScrambledHeads(nn.Module):
    """Splits into heads by a view, without moving the time dimension."""

    def __init__(self, width: int = 6, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        q, k, v = (part.reshape(n, self.heads, t, c // self.heads) for part in self.qkv(x).chunk(3, -1))
        mixed = (q @ k.mT / math.sqrt(c // self.heads)).softmax(-1) @ v
        return self.out(mixed.reshape(n, t, c))

    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}


class Softmax(nn.Module):
    """Over the last dimension."""

    def forward(self, x: Tensor) -> Tensor:
        e = torch.exp(x - x.max(-1, keepdim=True).values)
        return e / (e.sum(-1, keepdim=True) + 1e-3)


class QuietSoftmax(nn.Module):
    """exp(x) / (1 + sum exp(x)): it may attend to nothing."""

    def forward(self, x: Tensor) -> Tensor:
        e = torch.exp(x)
        return e / (1 + e.sum(-1, keepdim=True))


class Tempered(nn.Module):
    def __init__(self, temperature: float = 2.0):
        super().__init__()
        self.temperature = temperature

    def forward(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits / self.temperature, -1)


class LogSoftmax(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.log(torch.softmax(x, -1) + 1e-4)


class SoftmaxOverAll(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten().softmax(0).view_as(x)

    __verifykit__ = {"inputs": {"x": "float[N, D]"}}


class BinarySoftmax(nn.Module):
    """Softmax to the base of two."""

    def forward(self, x: Tensor) -> Tensor:
        p = torch.exp2(x)
        return p / p.sum(-1, keepdim=True)


SDPA = "scaled_dot_product_attention"
MHA = ("MultiheadAttention", "multi_head_attention_forward")
SOFTMAX = ("Softmax", "softmax")
MASK = r"mask|causal|future|ahead|next|diagonal|off by one"

EXPECTED = {
    "ScaledDotProductAttention": Near(SDPA, r"scal|sqrt|√", r"scale=1(\.0)?\b"),
    "Lookup": Near(SDPA, r"scal|sqrt|√|1/d", r"scale="),
    "Attention": Near(SDPA, r"dim|quer|over|axis"),
    "LookBack": Near(SDPA, MASK),
    "CausalSelfAttention": Near(SDPA, r"after|mask|renormal"),
    "LookAhead": Near(SDPA, MASK + "|past|revers|anti"),
    "SigmoidMixer": Near(SDPA, r"sigmoid|softmax"),
    "MultiheadAttention": Near(MHA, r"scal|sqrt|√|embed|width|head"),
    "ScrambledHeads": Near(MHA, r"head|view|reshape|transpos|scrambl|time|mix"),
    "Softmax": Near(SOFTMAX, r"eps|added|denominator|0\.001"),
    "QuietSoftmax": Near(SOFTMAX, r"one|1|denominator|added"),
    "Tempered": Near(SOFTMAX, r"temperature|scal|2|0\.5|half", "temperature=2"),
    "LogSoftmax": Near(("LogSoftmax", "log_softmax"), r"eps|added|inside|0\.0001|1e-0?4"),
    "SoftmaxOverAll": Near(SOFTMAX, r"all|dim|whole|flatten|over"),
    "BinarySoftmax": Near(SOFTMAX, r"base|2|temperature|scal|log", r"temperature=|base="),
}
