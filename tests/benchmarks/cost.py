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

ROUNDS = 3

LARGE: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "Linear(4096, 4096), batch 8": lambda: (nn.Linear(4096, 4096), torch.randn(8, 4096)),
    "Conv2d(64, 64, 3) on 4x64x28x28": lambda: (nn.Conv2d(64, 64, 3), torch.randn(4, 64, 28, 28)),
    "TransformerEncoderLayer(512, 8) on 4x32x512": lambda: (
        nn.TransformerEncoderLayer(512, 8),
        torch.randn(4, 32, 512),
    ),
}


def as_function(module: nn.Module, x: Tensor) -> tuple[Callable[..., Any], list[Tensor]]:
    """Return the module in double precision and eval mode as a function of its input and parameters, and these."""
    module = module.double().eval()
    names = [name for name, _ in module.named_parameters()]
    leaves = [x.double().requires_grad_(), *(p.detach().clone().requires_grad_() for p in module.parameters())]
    return lambda x, *values: functional_call(module, dict(zip(names, values, strict=True)), (x,)), leaves


def rows() -> Iterator[list[str]]:
    """Yield per function: seconds of torch's fast mode and of the engine, medians, and the median ratio of pairs."""
    for name, make in LARGE.items():
        torch.manual_seed(0)
        function, leaves = as_function(*make())
        pairs = []
        for _ in range(ROUNDS + 1):  # the first is warm-up
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = _timed(lambda: torch.autograd.gradcheck(function, leaves, fast_mode=True))  # noqa: B023
            pairs.append((theirs, _timed(lambda: verifykit.gradcheck(function, leaves, probes=1))))  # noqa: B023
        pairs = pairs[1:]
        ratio = statistics.median(own / other for other, own in pairs)
        fast, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        yield [name, f"{fast:.3f} s", f"{ours:.3f} s", f"{ratio:.2f}"]


def _timed(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
