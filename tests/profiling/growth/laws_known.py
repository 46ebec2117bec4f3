"""Modules of which it is known how they grow, beside those that the fits were made with: `make profile-report`."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn


class TriSolve(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        return torch.linalg.solve_triangular(x.tril() / n + torch.eye(n), x, upper=False)


class RBF(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(-((x[:, None] - x[None]) ** 2).sum(-1)).mean(1)


class LongConv(nn.Module):
    """Torch unfolds the input: a column of n numbers for each of n places."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv1d(x[:, None].T[None], torch.flip(x, [0])[None, None], padding=x.shape[0] // 2)


class Lookup(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.e = nn.Embedding(1000, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.e(x).tanh()


class Sorting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.gather(x, 0, x.argsort(0))


class NormRes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.n = nn.LayerNorm(64)
        self.l = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.l(self.n(x)))


class Triples(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, None, None] - x[None, :, None]).abs() * x[None, None, :]).sum((1, 2))


class Recur(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.l = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        h = x[0]
        out = []
        for row in x.unbind(0):
            h = torch.tanh(self.l(h) + row)
        out.append(h)
        return torch.stack(out)


class Similar(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.w(x))
        return (h @ h.T).softmax(-1) @ h


class Chol(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        return torch.linalg.cholesky(x @ x.T / n + torch.eye(n) * 2)


class Cols(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.cumsum(1).logsumexp(1)


class Fixed(nn.Module):
    """Forward does the same at any size; the backward of the slice fills a gradient of n numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(64, 64))

    def forward(self, x: Tensor) -> Tensor:
        return (self.w @ self.w).tanh() + x[:1].sum()


@dataclass(frozen=True)
class Known:
    """A module, its input, how its time grows in words and as a power, and the power of its peak memory."""

    file: Path
    name: str
    input: str
    says: str
    power: float
    memory: float

    def time_exponent(self, size: int) -> float:
        """The local exponent of time at ``size``."""
        return self.power + (1 / math.log(size) if "log" in self.says else 0.0)


_HERE, _PLANTED = Path(__file__), Path(__file__).with_name("planted.py")
KNOWN = [
    Known(_PLANTED, "Linear", "float[N]", "n", 1, 1),
    Known(_PLANTED, "Sorted", "float[N]", "n log n", 1, 1),
    Known(_PLANTED, "Pairs", "float[N]", "n^2", 2, 2),
    Known(_PLANTED, "Product", "float[N, N]", "n^3", 3, 2),
    Known(_HERE, "TriSolve", "float[N, N]", "n^3", 3, 2),
    Known(_HERE, "RBF", "float[N, 3]", "n^2", 2, 2),
    Known(_HERE, "LongConv", "float[N]", "n^2", 2, 2),
    Known(_HERE, "Lookup", "long[N] in below 1000", "n", 1, 1),
    Known(_HERE, "Sorting", "float[N, 4]", "n log n", 1, 1),
    Known(_HERE, "NormRes", "float[N, 64]", "n", 1, 1),
    Known(_HERE, "Triples", "float[N]", "n^3", 3, 3),
    Known(_HERE, "Recur", "float[N, 32]", "n", 1, 1),
    Known(_HERE, "Similar", "float[N, 64]", "n^2 + n", 2, 2),
    Known(_HERE, "Chol", "float[N, N]", "n^3", 3, 2),
    Known(_HERE, "Cols", "float[32, N]", "n", 1, 1),
    Known(_HERE, "Fixed", "float[N]", "n + 1", 1, 1),
]
