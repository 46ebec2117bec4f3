"""Attention, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import math

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention of Vaswani et al. (2017)."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(scores, dim=-1) @ v


class DotProductAttention(nn.Module):
    def forward(self, query, key, value):
        scores = torch.einsum("bqd,bkd->bqk", query, key) * query.shape[-1] ** -0.5
        weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
        return torch.einsum("bqk,bkd->bqd", weights, value)


class CausalAttention(nn.Module):
    """Each position sees itself and what came before."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        return scores.masked_fill(future, float("-inf")).softmax(-1) @ v

    __verifykit__ = {"inputs": {"q": "float[N, T, D]", "k": "float[N, T, D]", "v": "float[N, T, D]"}}


class PackedSelfAttention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values, as in ViT."""

    def __init__(self, dim: int = 8, num_heads: int = 2):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.num_heads, c // self.num_heads).permute(2, 0, 3, 1, 4)
        attn = (q @ k.transpose(-2, -1) * (c // self.num_heads) ** -0.5).softmax(dim=-1)
        return self.proj((attn @ v).transpose(1, 2).reshape(b, n, c))

    __verifykit__ = {"inputs": {"x": "float[N, T, 8]"}}


class MultiHeadedAttention(nn.Module):
    """Separate projections."""

    def __init__(self, h: int = 2, d_model: int = 6):
        super().__init__()
        self.d_k, self.h = d_model // h, h
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        n = query.size(0)

        def split(t: Tensor) -> Tensor:
            return t.view(n, -1, self.h, self.d_k).transpose(1, 2)

        x = attention(split(self.w_q(query)), split(self.w_k(key)), split(self.w_v(value)))
        return self.w_o(x.transpose(1, 2).contiguous().view(n, -1, self.h * self.d_k))

    __verifykit__ = {
        "inputs": {"query": "float[N, T, 6]", "key": "float[N, S, 6]", "value": "float[N, S, 6]"},
    }


class Head(nn.Module):
    def __init__(self, width: int, head_size: int):
        super().__init__()
        self.key = nn.Linear(width, head_size, bias=False)
        self.query = nn.Linear(width, head_size, bias=False)
        self.value = nn.Linear(width, head_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.key.out_features**-0.5
        return scores.softmax(-1) @ self.value(x)


class HeadsInAList(nn.Module):
    """Multi-head self-attention as a list of heads, each with three projections without bias."""

    def __init__(self, width: int = 6, heads: int = 2):
        super().__init__()
        self.heads = nn.ModuleList(Head(width, width // heads) for _ in range(heads))
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([head(x) for head in self.heads], dim=-1))

    __verifykit__ = {"inputs": {"x": "float[N, T, 6]"}}


SDPA = "scaled_dot_product_attention"
MHA = ("MultiheadAttention", "multi_head_attention_forward")

EXPECTED = {
    "attention": Same(SDPA),
    "DotProductAttention": Same(SDPA),
    "CausalAttention": Same(SDPA, "", "is_causal=True"),
    "PackedSelfAttention": Same(MHA, "|initialisation"),
    "MultiHeadedAttention": Same(MHA, "packed|made of|split|concat|joined|stacked|separate"),
    "HeadsInAList": Same(MHA, "packed|made of|split|concat|joined|stacked|separate"),
}
