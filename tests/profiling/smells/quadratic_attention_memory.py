"""Attention that keeps a weight for every pair of positions."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """One head, out of the book."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.q = nn.Linear(16, 16)
        self.k = nn.Linear(16, 16)
        self.v = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.q(x), self.k(x), self.v(x)
        scores = q @ k.transpose(-2, -1) / math.sqrt(16)
        weights = scores.softmax(dim=-1)  # smell: quadratic attention memory
        return weights @ v


class CausalHeads(nn.Module):
    """Several heads, a causal mask, dropout."""

    __verifykit__ = {"inputs": {"x": "float[B, T, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, 4, 4).permute(2, 0, 3, 1, 4)
        scores = torch.matmul(q, k.mT) * 0.5
        mask = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        weights = F.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)  # smell: quadratic attention memory
        return (self.drop(weights) @ v).transpose(1, 2).reshape(batch, length, 16)


class EinsumAttention(nn.Module):
    """By einsum, with the softmax as a module."""

    __verifykit__ = {"inputs": {"query": "float[N, L, 8]", "memory": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.normalise = nn.Softmax(dim=-1)
        self.value = nn.Linear(8, 8, bias=False)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        energy = torch.einsum("nqd,nkd->nqk", query, memory)
        attention = self.normalise(energy)  # smell: quadratic attention memory
        return torch.einsum("nqk,nkd->nqd", attention, self.value(memory))


class ByHand(nn.Module):
    """The softmax written out."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.proj(x).chunk(3, -1)
        s = torch.bmm(q, k.transpose(1, 2)) / 8**0.5
        e = torch.exp(s - s.amax(-1, keepdim=True).detach())  # smell: quadratic attention memory
        w = e / e.sum(-1, keepdim=True)  # smell: quadratic attention memory
        return torch.bmm(w, v)


class PixelsAttend(nn.Module):
    """Non-local block over the positions of a series, with a residual."""

    __verifykit__ = {"inputs": {"x": "float[N, 8, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Conv1d(8, 4, 1)
        self.phi = nn.Conv1d(8, 4, 1)
        self.g = nn.Conv1d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        pairs = self.theta(x).transpose(1, 2).matmul(self.phi(x)).softmax(-1)  # smell: quadratic attention memory
        return x + self.g(x).matmul(pairs.transpose(1, 2))
