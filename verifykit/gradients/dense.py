"""The whole Jacobian, numerically and by autograd, batched where the function allows and in chunks of bounded memory.

For small sizes: it decides every element on its own, each with its own error bar.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.gradients.estimate import FIRST_STEP, RATIO
from verifykit.gradients.function import Function, Linearization, Tensors, real

# Bytes that the batched evaluations of one chunk may take, inputs and outputs together.
CHUNK_BYTES = 64 * 2**20
RUNGS = 5


@dataclass(frozen=True)
class Jacobians:
    """One row per element of the leaf, one column per element of all outputs, both counted as reals."""

    analytic: Tensor
    numerical: Tensor
    bar: Tensor


def jacobians(function: Function, linear: Linearization, leaf: int) -> Jacobians:
    """Return the derivatives of all outputs with respect to all elements of one leaf, by both ways."""
    numerical, bar = _numerical(function, linear, leaf)
    return Jacobians(_analytic(linear, leaf), numerical, bar)


def _numerical(function: Function, linear: Linearization, leaf: int) -> tuple[Tensor, Tensor]:
    point = [other.detach() for other in linear.leaves]
    moved = real(point[leaf])
    evaluate = _batched(function, point, leaf)
    size = moved.numel()
    width = moved.element_size() * (size + sum(real(v).numel() for v in linear.values))
    chunk = max(1, min(size, CHUNK_BYTES // max(1, 2 * width)))
    lengths = moved.abs().flatten().clamp(min=0.1 * float(moved.square().mean().sqrt()) or 1.0)
    values, bars = [], []
    for start in range(0, size, chunk):
        rows = torch.arange(start, min(start + chunk, size), device=moved.device)
        directions = torch.zeros(len(rows), size, dtype=moved.dtype, device=moved.device)
        directions[torch.arange(len(rows)), rows] = lengths[rows]
        ladder = [_central(evaluate, moved, directions, FIRST_STEP / RATIO**rung) for rung in range(RUNGS)]
        value, bar = _best(ladder)
        values.append(value / lengths[rows, None])
        bars.append(bar / lengths[rows, None])
    return torch.cat(values), torch.cat(bars)


def _central(evaluate: Callable[[Tensor], Tensor], moved: Tensor, directions: Tensor, step: float) -> Tensor:
    steps = (step * directions).reshape(-1, *moved.shape)
    return (evaluate(moved + steps) - evaluate(moved - steps)) / (2 * step)


def _best(ladder: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Element by element, the middle of the three consecutive values that agree best, and their spread."""
    columns = [ladder]
    for power in (2, 4):
        factor = RATIO**power
        columns.append([(factor * fine - coarse) / (factor - 1) for coarse, fine in _pairs(columns[-1])])
    best_value = best_bar = None
    for column in columns:
        for index in range(len(column) - 2):
            window = torch.stack(column[index : index + 3]).sort(0).values
            bar = window[2] - window[0]
            bar = torch.where(bar.isnan(), torch.inf, bar)
            if best_value is None or best_bar is None:
                best_value, best_bar = window[1], bar
            else:
                better = bar < best_bar
                best_value, best_bar = torch.where(better, window[1], best_value), torch.where(better, bar, best_bar)
    assert best_value is not None
    assert best_bar is not None
    return best_value, best_bar


def _pairs(values: list[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(values, values[1:], strict=False)


def _batched(function: Function, point: Tensors, leaf: int) -> Callable[[Tensor], Tensor]:
    """Return a map from a batch of values of the leaf (as reals) to as many rows of all outputs (as reals)."""
    is_complex = point[leaf].is_complex()

    def one(values: Tensor) -> Tensor:
        moved = list(point)
        moved[leaf] = torch.view_as_complex(values) if is_complex else values
        return torch.cat([real(output).flatten() for output in function(moved)])

    together = torch.func.vmap(one, randomness="same")

    def evaluate(batch: Tensor) -> Tensor:
        nonlocal together_works
        if together_works:
            try:
                result: Tensor = together(batch)
                return result
            except Exception:  # vmap refuses: data-dependent control flow, in-place writes, an operator without a rule
                together_works = False
        return torch.stack([one(values) for values in batch])

    together_works = True
    return evaluate


def _analytic(linear: Linearization, leaf: int) -> Tensor:
    """Backward once for every element of the outputs, batched where that works."""
    rows: list[Tensor] = []
    target = linear.leaves[leaf]
    for output in linear.outputs:
        parts = real(output).numel()
        if parts == 0:
            continue
        seeds = torch.zeros(parts, *real(output).shape, dtype=torch.float64, device=output.device)
        seeds.reshape(parts, -1).fill_diagonal_(1.0)
        if output.is_complex():
            seeds = torch.view_as_complex(seeds)
        rows.append(_pulled(output, target, seeds))
    return torch.cat(rows).T


def _pulled(output: Tensor, target: Tensor, seeds: Tensor) -> Tensor:
    if not output.requires_grad:
        return torch.zeros(len(seeds), real(target.detach()).numel(), dtype=torch.float64, device=output.device)

    def grad(seed: Tensor, *, batched: bool) -> Tensor:
        (found,) = torch.autograd.grad(
            output, target, seed, retain_graph=True, allow_unused=True, materialize_grads=True, is_grads_batched=batched
        )
        return real(found)

    try:
        return grad(seeds, batched=True).reshape(len(seeds), -1)
    except RuntimeError:
        return torch.stack([grad(seed, batched=False).flatten() for seed in seeds])
