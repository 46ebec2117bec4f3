"""Python loops over the steps of a sequence."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
from torch import Tensor, nn


class PlainRNN(nn.Module):
    """A recurrence, as it is written first."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNNCell(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(x.shape[0], 6)
        states = []
        for t in range(x.shape[1]):  # smell: loop over length
            state = self.cell(x[:, t], state)
            states.append(state)
        return torch.stack(states, 1)


class Smoothing(nn.Module):
    """An exponential moving average, step by step."""

    __verifykit__ = {"inputs": {"signal": "float[N, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.decay = nn.Parameter(torch.tensor(0.5))

    def forward(self, signal: Tensor) -> Tensor:
        level = signal[:, 0]
        levels = [level]
        for step in signal.unbind(1)[1:]:  # smell: loop over length
            level = self.decay * level + (1 - self.decay) * step
            levels += [level]
        return torch.stack(levels, dim=1)


class PositionWise(nn.Module):
    """Each position by itself, though none needs another."""

    __verifykit__ = {"inputs": {"tokens": "float[B, T, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(8, 16)
        self.down = nn.Linear(16, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.stack(
            [
                self.down(torch.relu(self.up(tokens[:, t])))
                for t in range(tokens.size(1))  # smell: loop over length
            ],
            dim=1,
        )


class SlidingMaximum(nn.Module):
    """Windows cut in a loop, in several layers."""

    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):
            padded = nn.functional.pad(x, (1, 1))
            columns = []
            for i in range(x.shape[-1]):  # smell: loop over length
                window = padded[..., i : i + 3]
                columns.append(window.amax(-1) - window.mean(-1))
            x = torch.stack(columns, -1)
        return x


class RowByRowAttention(nn.Module):
    """One query after another."""

    __verifykit__ = {"inputs": {"q": "float[N, L, 8]", "k": "float[N, L, 8]", "v": "float[N, L, 8]"}}

    def attend(self, query: Tensor, k: Tensor, v: Tensor) -> Tensor:
        weights = torch.softmax((k @ query.unsqueeze(-1)).squeeze(-1) / 8**0.5, dim=-1)
        return (weights.unsqueeze(-1) * v).sum(1)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = torch.zeros_like(q)
        for position in range(q.shape[1]):  # smell: loop over length
            out[:, position] = self.attend(q[:, position], k, v)
        return out
