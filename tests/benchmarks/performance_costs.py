"""Counts that have a closed form, held against it: FLOPs and peak memory. What the tests assert, as a table."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.profiling.loads import load
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.work import count_work

FLOAT = 4


class Attention(nn.Module):
    """By hand, without projections."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1) @ v


class Chain(nn.Module):
    """Three elementwise functions, each of which keeps its result."""

    def forward(self, x: Tensor) -> Tensor:
        return x.relu().tanh().sigmoid()


class Perceptron(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 256), nn.Linear(256, 32)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x)))


def flops() -> Iterator[tuple[str, str, int, int, int, int]]:
    """Yield what, its closed form, and forward and backward FLOPs: counted, expected."""
    x = torch.randn
    cases: list[tuple[str, str, nn.Module, list[Tensor], int, int]] = [
        ("Linear(96, 128) on (64, 96)", "2·N·in·out", nn.Linear(96, 128), [x(64, 96)], 2 * 64 * 96 * 128, 2),
        (
            "Conv2d(4, 8, 3, stride 2, groups 2) on (5, 4, 11, 9)",
            "2·N·H'·W'·(in/groups)·out·k²",
            nn.Conv2d(4, 8, 3, stride=2, groups=2),
            [x(5, 4, 11, 9)],
            2 * 5 * 5 * 4 * 2 * 8 * 9,
            2,
        ),
        (
            "attention by hand on (2, 4, 64, 16)",
            "4·N·heads·L²·d",
            Attention(),
            [x(2, 4, 64, 16) for _ in range(3)],
            4 * 2 * 4 * 64 * 64 * 16,
            2,
        ),
    ]
    for what, form, module, inputs, expected, times in cases:
        work = count_work(load(module, *inputs))
        yield what, form, work.forward_flops, expected, work.backward_flops or 0, times * expected
    steps, batch, width, hidden = 7, 3, 5, 6
    work = count_work(load(nn.LSTM(width, hidden), x(steps, batch, width)))
    expected = 2 * steps * batch * 4 * hidden * (width + hidden)
    form = "2·L·N·4·hidden·(in + hidden)"
    yield (
        f"LSTM({width}, {hidden}) on ({steps}, {batch}, {width})",
        form,
        work.forward_flops,
        expected,
        (work.backward_flops or 0),
        2 * expected,
    )


def memory() -> Iterator[tuple[str, int, int, int, int]]:
    """Yield what, and the peaks of forward and backward in bytes: measured, expected."""
    n, i, o = 64, 96, 128
    linear = [n * o, n * o + n * i + i * o + o]
    yield _peaks(f"Linear({i}, {o}) on ({n}, {i})", nn.Linear(i, o), [torch.randn(n, i)], linear)
    n = 40_000
    yield _peaks(f"three elementwise functions on ({n},)", Chain(), [torch.randn(n)], [3 * n, 5 * n])
    length, d = 256, 16
    square, thin = length * length, length * d
    attention = [torch.randn(length, d) for _ in range(3)]
    yield _peaks(f"attention by hand on ({length}, {d})", Attention(), attention, [2 * square, 3 * square + 2 * thin])
    n, i, h, o = 128, 64, 256, 32
    at_second, at_relu, at_first = n * o + h * o + o, 3 * n * h, n * h + n * i + h * i + h
    perceptron = [2 * n * h, at_second + max(at_relu, at_first)]
    yield _peaks(
        f"Linear({i}, {h}), ReLU, Linear({h}, {o}) on ({n}, {i})", Perceptron(), [torch.randn(n, i)], perceptron
    )


def _peaks(what: str, module: nn.Module, inputs: list[Tensor], elements: list[int]) -> tuple[str, int, int, int, int]:
    found = measure_memory(load(module, *inputs))
    forward, backward = (count * FLOAT for count in elements)
    return what, found.forward_peak, forward, found.backward_peak or 0, backward
