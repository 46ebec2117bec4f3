"""Power: which planted gradient errors are seen, by the engine and by both modes of ``torch.autograd.gradcheck``."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from tests.gradients.wrong import activation, convolution, linear
from verifykit.gradients.function import Function
from verifykit.gradients.probe import draw_probe, judge
from verifykit.spec.threads import threads_for

SIZES = (8, 32, 128, 1024)
AMOUNTS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
SEEDS, TORCH_SEEDS = 20, 3
PROBES = 3  # what verifykit.gradcheck does by default


def seen(call: Callable[..., Any], leaves: list[Tensor], seed: int) -> bool:
    """Whether any of the engine's directions shows the error; what follows, locating it, is left out for its time."""
    function = Function(lambda given: call(*given), [str(i) for i in range(len(leaves))], seed)
    generator = torch.Generator().manual_seed(seed)
    with threads_for(sum(leaf.numel() for leaf in leaves)):
        run = function.linearize(leaves)
        return any(judge(function, run, draw_probe(run, generator)).kind == "mismatch" for _ in range(PROBES))


def seen_by_torch(call: Callable[..., Any], leaves: list[Tensor], seed: int, *, fast: bool) -> bool:
    """Whether ``torch.autograd.gradcheck`` at its default tolerances objects."""
    torch.manual_seed(seed)
    inputs = [leaf.clone().requires_grad_() for leaf in leaves]
    return not torch.autograd.gradcheck(
        call, inputs, fast_mode=fast, raise_exception=False, check_undefined_grad=False, nondet_tol=1e-12
    )


def linear_leaves(size: int, seed: int) -> list[Tensor]:
    """Input, weight and bias of a square linear function over a batch of 8."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((8, size), (size, size), (size,))
    ]


def rows() -> Iterator[list[str]]:
    """Yield a row per way, size and amount: seen of tried for the engine, torch's fast mode, torch's slow mode."""
    for way in ("element", "row", "all"):
        for size in SIZES:
            for amount in AMOUNTS:
                call = linear(way, amount)
                ours = sum(seen(call, linear_leaves(size, seed), seed) for seed in range(SEEDS))
                fast = sum(seen_by_torch(call, linear_leaves(size, s), s, fast=True) for s in range(TORCH_SEEDS))
                slow = "not run"
                if size <= 32:
                    slow = f"{int(seen_by_torch(call, linear_leaves(size, 0), 0, fast=False))} of 1"
                yield [way, str(size), f"{amount:g}", f"{ours} of {SEEDS}", f"{fast} of {TORCH_SEEDS}", slow]


def special() -> Iterator[list[str]]:
    """Yield a row per other bug: seen of tried, for the engine and for both modes of torch."""

    def tiny(x: Tensor) -> Any:
        return 1e-6 * activation("all", -2.0)(x)

    cases: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
        "activation wrong by 1e-5 on negative inputs only": (activation("negative", 1e-5), [(8, 32)]),
        "convolution wrong by 1e-5 at its border only": (convolution(1e-5), [(1, 2, 9, 9), (3, 2, 3, 3)]),
        "sum over the batch missing: one sample only": (linear("one sample"), [(8, 16), (16, 16), (16,)]),
        "mean over the batch where a sum is due": (linear("mean"), [(8, 16), (16, 16), (16,)]),
        "swapped argument: the gradient transposed": (linear("transposed"), [(8, 16), (16, 16), (16,)]),
        "sign flipped, the gradient of size 1e-6": (tiny, [(8, 16)]),
    }
    for name, (call, shapes) in cases.items():
        found = [0, 0, 0]
        for seed in range(SEEDS):
            generator = torch.Generator().manual_seed(seed)
            leaves = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
            found[0] += seen(call, leaves, seed)
            if seed < TORCH_SEEDS:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found[1] += seen_by_torch(call, leaves, seed, fast=True)
                    found[2] += seen_by_torch(call, leaves, seed, fast=False)
        yield [name, f"{found[0]} of {SEEDS}", f"{found[1]} of {TORCH_SEEDS}", f"{found[2]} of {TORCH_SEEDS}"]
