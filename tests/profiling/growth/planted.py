"""Modules of which it is known how they grow; audited by path."""

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """O(n) in time; two tensors of n alive at the peak."""

    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()


class Sorted(nn.Module):
    """O(n log n) in time, O(n) in memory."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sort().values


class Pairs(nn.Module):
    """O(n^2) in time and memory, beside a constant and a linear part."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None] - x[None, :]).abs().sum(1)


class Product(nn.Module):
    """O(n^3) in time, O(n^2) in memory."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ x


class Cubes(nn.Module):
    """O(n^3) in memory."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, None, None] * x[None, :, None] * x[None, None, :]).sum((1, 2))


class Loop(nn.Module):
    """Two operators more for each sample at one line, one more at another."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        rows = []
        for row in x.unbind():
            rows.append((row * self.scale).relu())  # the loop's own line
        return torch.stack(rows)


class Wrapped(nn.Module):
    """A recurrent layer of torch, which loops inside if at all."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x)[0]
        return output


class Limited(nn.Module):
    """Takes no less than 9 and no more than 100."""

    def forward(self, x: Tensor) -> Tensor:
        if not 9 <= x.shape[0] <= 100:
            raise ValueError("not such a size")
        return x * 2


class Sevens(nn.Module):
    """Takes multiples of seven."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, 7).sum(1)


class Never(nn.Module):
    """Takes no size at all."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("never")
