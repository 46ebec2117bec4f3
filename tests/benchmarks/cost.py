"""Cost: the functions on which the engine is timed against ``torch.autograd.gradcheck``, alternating in one run."""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

import verifykit

ROUNDS = 5

LARGE: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "Linear(4096, 4096), batch 8": lambda: (nn.Linear(4096, 4096), torch.randn(8, 4096)),
    "Conv2d(64, 64, 3) on 4x64x28x28": lambda: (nn.Conv2d(64, 64, 3), torch.randn(4, 64, 28, 28)),
    "TransformerEncoderLayer(512, 8) on 4x32x512": lambda: (
        nn.TransformerEncoderLayer(512, 8),
        torch.randn(4, 32, 512),
    ),
}


SMALL: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "Linear(32, 32), batch 8": lambda: (nn.Linear(32, 32), torch.randn(8, 32)),
    "TransformerEncoderLayer(16, 2, 32) on 4x5x16": lambda: (
        nn.TransformerEncoderLayer(16, 2, 32),
        torch.randn(4, 5, 16),
    ),
    "Conv2d(3, 8, 3) on 2x3x8x8": lambda: (nn.Conv2d(3, 8, 3), torch.randn(2, 3, 8, 8)),
}


def as_function(module: nn.Module, x: Tensor) -> tuple[Callable[..., Any], list[Tensor]]:
    """Return the module in double precision and eval mode as a function of its input and parameters, and these."""
    module = module.double().eval()
    names = [name for name, _ in module.named_parameters()]
    leaves = [x.double().requires_grad_(), *(p.detach().clone().requires_grad_() for p in module.parameters())]
    return lambda x, *values: functional_call(module, dict(zip(names, values, strict=True)), (x,)), leaves


def rows() -> Iterator[list[str]]:
    """Yield per large function: seconds of torch's fast mode and of the engine, and the median ratio of pairs."""
    for name, make in LARGE.items():
        yield [name, *_paired(make, fast_mode=True, probes=1)]


def dense_rows() -> Iterator[list[str]]:
    """Yield the same per small function for torch's slow mode and the engine's dense mode."""
    for name, make in SMALL.items():
        yield [name, *_paired(make, fast_mode=False)]


def _paired(make: Callable[[], tuple[nn.Module, Tensor]], *, fast_mode: bool, probes: int | None = None) -> list[str]:
    torch.manual_seed(0)
    function, leaves = as_function(*make())
    pairs = []
    for _ in range(ROUNDS + 1):  # the first is warm-up
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = _timed(lambda: torch.autograd.gradcheck(function, leaves, fast_mode=fast_mode))
        pairs.append(
            (theirs, _timed(lambda: verifykit.gradcheck(function, leaves, fast_mode=fast_mode, probes=probes)))
        )
    pairs = pairs[1:]
    ratio = statistics.median(own / other for other, own in pairs)
    other, own = (statistics.median(column) for column in zip(*pairs, strict=True))
    return [f"{other:.3f} s", f"{own:.3f} s", f"{ratio:.2f}", f"{1 / ratio:.1f}"]


def _timed(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
