"""The whole Jacobian, element by element, by autograd and by differences: for small sizes.

Perturbations are batched through ``torch.func.vmap`` in chunks of bounded memory, or looped over where vmap refuses;
cotangents likewise.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from verifykit.gradients.batched import Batched
from verifykit.gradients.colouring import rows_together
from verifykit.gradients.estimate import EPS, RATIO
from verifykit.gradients.function import Function, Linearization, Tensors, real
from verifykit.gradients.probe import MARGIN, ROUNDING, USELESS, ZERO, draw_tangent
from verifykit.spec.threads import threads_for

# Bytes that the Jacobians may take, and the batched evaluations of one chunk, inputs and outputs together: small
# enough for memory to be used again.
BUDGET = 256 * 2**20
CHUNK = 16 * 2**20
# Numbers per batched evaluation below which the overhead of calls, not the arithmetic, is what it costs.
SMALL = 2**17
# Shorter than the steps of a probe: two of them are then enough for most functions.
FIRST_STEP, RUNGS = 3e-4, 6
GOOD = 0.3 * USELESS


class TooLargeError(Exception):
    """A Jacobian exceeds the budget."""


@dataclass(frozen=True)
class Suspect:
    """An element of the Jacobian on which autograd and differences disagree: flat indices, complex counted as two."""

    leaf: int
    element: int
    output: int


@dataclass(frozen=True)
class Comparison:
    """The Jacobians compared: how many elements, the worst disagreement and error bar as shares of the scale, and the
    elements that disagree, worst first, be it at a kink. ``undecided`` elements have too wide an error bar.
    """

    elements: int
    error: float
    bar: float
    undecided: int
    suspects: list[Suspect]


def is_cheaper(function: Function, linear: Linearization, probes: int) -> bool:
    """Whether all elements together cost less than this many random directions: there are fewer leaves than those, the
    sizes are small, and the function can be batched.
    """
    sizes = [real(leaf.detach()).numel() for leaf in linear.leaves]
    if len(sizes) >= probes or any(size * (size + _width(linear)) > SMALL for size in sizes):
        return False
    return all(Batched(function, linear, leaf).works() for leaf in range(len(sizes)))


def compare(function: Function, linear: Linearization) -> Comparison:
    """Compare all elements of the Jacobian with respect to every leaf.

    Raises:
        TooLargeError: it would take more than the budget.
    """
    size = 8 * _width(linear) * sum(real(leaf.detach()).numel() for leaf in linear.leaves)
    if size > BUDGET:
        told = f"the whole Jacobian would take {size / 2**20:,.0f} MiB, more than the {BUDGET / 2**20:g} allowed"
        raise TooLargeError(f"{told}: probe along random directions instead (fast_mode=True)")
    elements = undecided = 0
    worst = widest = 0.0
    suspects: list[tuple[float, Suspect]] = []
    sizes = rounding_sizes(linear)
    generator = torch.Generator().manual_seed(function.seed)
    for leaf, analytic in enumerate(_analytic(linear)):
        if analytic.numel() == 0:
            continue
        length = real(draw_tangent(linear.leaves[leaf].detach(), generator)).flatten()
        rows = rows_together(analytic != 0)
        numerical, bar = _numerical(Batched(function, linear, leaf), length, rows, sizes)
        claimed = torch.zeros_like(numerical).index_add_(0, rows, analytic * length[:, None])
        # Each output has its own scale: the largest that a row contributes to it.
        scale = torch.maximum(claimed.abs(), numerical.abs()).amax(0).clamp(min=1e-300)
        gap = (claimed - numerical).abs()
        zero = claimed.abs() + numerical.abs() + bar <= ZERO * sizes
        useful = bar <= USELESS * scale
        wrong = useful & (gap > MARGIN * bar + ROUNDING * scale) & ~zero
        elements += analytic.numel()
        undecided += int((~useful & ~zero).sum())
        if (decided := useful & ~zero).any():
            worst = max(worst, float((gap / scale)[decided].max()))
            widest = max(widest, float((bar / scale)[decided].max()))
        for row, output in wrong.nonzero().tolist():
            share = float(gap[row, output] / scale[output])
            members = (rows == row).nonzero().flatten()
            owners = members[analytic[members, output] != 0]
            found = owners if len(owners) else members
            suspects += [(share, Suspect(leaf, element, output)) for element in found.tolist()]
    suspects.sort(key=lambda pair: -pair[0])
    return Comparison(elements, worst, widest, undecided, [suspect for _, suspect in suspects])


def rounding_sizes(linear: Linearization) -> Tensor:
    """Return for each output, flat, what its rounding error is in proportion to: the greatest value in the same tensor,
    since a small one may be what is left of large ones.
    """
    parts = [real(value) for value in linear.values]
    return torch.cat([part.abs().amax().expand(part.numel()) if part.numel() else part.flatten() for part in parts])


def _width(linear: Linearization) -> int:
    return sum(real(value).numel() for value in linear.values)


def _numerical(evaluate: Batched, length: Tensor, rows: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Derivative of every output along every row, whose elements move by their ``length``, and its error bar."""
    count, start = int(rows.max()) + 1, evaluate.start.flatten()
    chunk = max(1, min(count, CHUNK // (4 * 8 * (len(start) + len(sizes)))))
    found, bars = [], []
    for first in range(0, count, chunk):
        here = min(chunk, count - first)
        batch = start.expand(2 * here, len(start)).clone()
        moving = ((rows >= first) & (rows < first + here)).nonzero().flatten()
        places = (torch.cat([rows[moving] - first, rows[moving] - first + here]), moving.repeat(2))
        ladder: list[Tensor] = []
        best = bar = torch.empty(0)
        for rung in range(RUNGS):
            step = FIRST_STEP / RATIO**rung
            away = step * length[moving]
            batch[places] = torch.cat([start[moving] + away, start[moving] - away])
            with threads_for(3 * batch.numel()):  # what is made on the way counts too
                ahead, behind = evaluate(batch.reshape(-1, *evaluate.start.shape)).tensor_split(2)
            ladder.append((ahead - behind).div_(2 * step))
            if rung < 1:
                continue
            best, bar = _best(ladder)
            bar += 4 * EPS / step * sizes
            if (bar <= GOOD * best.abs().amax(0) + 0.1 * ZERO * sizes).all():
                break
        found.append(best)
        bars.append(bar)
    return torch.cat(found), torch.cat(bars)


def _best(ladder: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Element by element, the value of the extrapolation tableau that differs the least from the one that it was made
    of, and that difference.
    """
    column, value, bar = ladder, ladder[-1], (ladder[-1] - ladder[-2]).abs()
    for power in (2, 4):
        factor = RATIO**power
        finer = [(factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(column)]
        for made_of, made in zip(column[1:], finer, strict=True):
            gap = (made - made_of).abs()
            better = gap < bar
            value, bar = torch.where(better, made, value), torch.where(better, gap, bar)
        column = finer
    return value, bar.nan_to_num(nan=torch.inf)


def _analytic(linear: Linearization) -> Tensors:
    """Return the Jacobian with respect to each leaf, a row per element of it: backward once for every element of the
    outputs, batched in chunks where that works.
    """
    total = sum(real(leaf.detach()).numel() for leaf in linear.leaves)
    rows: list[Tensors] = []
    for output in linear.outputs:
        parts = real(output.detach()).numel()
        if parts == 0:
            continue
        chunk = max(1, CHUNK // (2 * 8 * (parts + total)))
        for start in range(0, parts, chunk):
            chosen = torch.arange(start, min(start + chunk, parts))
            seeds = torch.zeros(len(chosen), parts, dtype=torch.float64, device=output.device)
            seeds[torch.arange(len(chosen)), chosen] = 1.0
            seeds = seeds.reshape(-1, *real(output.detach()).shape)
            rows.append(_pulled(output, linear.leaves, torch.view_as_complex(seeds) if output.is_complex() else seeds))
    return [(column[0] if len(column) == 1 else torch.cat(column)).T for column in zip(*rows, strict=True)]


def _pulled(output: Tensor, leaves: Tensors, seeds: Tensor) -> Tensors:
    if not output.requires_grad:
        return [torch.zeros(len(seeds), real(leaf.detach()).numel()).to(real(leaf.detach())) for leaf in leaves]

    def grad(seed: Tensor, *, batched: bool) -> Tensors:
        found = torch.autograd.grad(
            output, leaves, seed, retain_graph=True, allow_unused=True, materialize_grads=True, is_grads_batched=batched
        )
        return [real(gradient) for gradient in found]

    try:
        return [gradient.reshape(len(seeds), -1) for gradient in grad(seeds, batched=True)]
    except Exception:  # the backward of a Function may do what vmap refuses
        alone = [grad(seed, batched=False) for seed in seeds]
        return [torch.stack([gradient.flatten() for gradient in column]) for column in zip(*alone, strict=True)]
