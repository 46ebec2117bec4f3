"""Whether two gradients that differ at a point are both subgradients of a kink there."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto

import torch
from torch import Tensor

from verifykit.identify.agreement.functions import Call, Observation, Pair, Refused
from verifykit.identify.agreement.judge import Judge
from verifykit.spec.domain import Interval, Real, Sorted
from verifykit.spec.model import InputSpec

# How far the neighbours are, relative to the values; how much gradients change over that where nothing is odd, and how
# far off the sum of subgradients may be, relative to the greatest gradient around.
DISTANCE, SLACK, NEAR = 1e-4, 0.01, 2.0
# Relative error up to which the two agree at a neighbour; everyday points are where they must agree to rounding.
ALIKE = 1e-7


class Kink(Enum):
    """What two gradients that differ at a point are: both subgradients; or one of them neither that nor far from it, as
    the sum of two subgradients may be; or not to be explained so.
    """

    SUBGRADIENTS = auto()
    INEXACT = auto()
    NONE = auto()


def kink_at(pair: Pair, judge: Judge, state: Mapping[str, Tensor], inputs: Sequence[Tensor], call: Call) -> Kink:
    """Return what the gradients of target and candidate at this point are, by those all around it, where the two must
    agree. A subgradient lies, element by element, between those found around.

    The neighbours lie on all sides: one way and the other in all elements, in the direction in which the two gradients
    differ, and in random ones.
    """
    target, candidate = pair.observe_target(state, inputs, call), pair.observe_candidate(state, inputs, call)
    seen: list[Observation] = [candidate]
    for near in _neighbours(pair, inputs, target, candidate):
        try:
            one, other = pair.observe_target(state, near, call), pair.observe_candidate(state, near, call)
        except Refused:
            continue
        gaps = judge.gaps(one, other, lambda: None, lambda: None)
        if any(gap.found is None or gap.found.error > ALIKE * gap.magnitude for gap in gaps):
            return Kink.NONE
        seen.append(one)
    if len(seen) == 1:
        return Kink.NONE
    outside = max(
        (
            _outside(gradient, [s.gradients[name] for s in seen], judge.magnitudes.get(f"gradient of {name}", 0.0))
            for name, gradient in target.gradients.items()
        ),
        default=0.0,
    )
    return Kink.SUBGRADIENTS if outside <= SLACK else Kink.INEXACT if outside <= NEAR else Kink.NONE


def _outside(gradient: Tensor, around: Sequence[Tensor], usual: float) -> float:
    """How far an element lies outside the range of those around, relative to the greatest there and elsewhere."""
    if gradient.numel() == 0:
        return 0.0
    parts = [torch.view_as_real(t) if t.is_complex() else t for t in (gradient, *around)]
    stacked = torch.stack(parts[1:])
    excess = torch.maximum(parts[0] - stacked.amax(0), stacked.amin(0) - parts[0]).max()
    return float(excess) / max(float(stacked.abs().max()), usual) if excess > 0 else 0.0


def _neighbours(
    pair: Pair, inputs: Sequence[Tensor], target: Observation, candidate: Observation
) -> Iterator[list[Tensor]]:
    entries = pair.facts.subject.spec.inputs
    generator = torch.Generator().manual_seed(0)
    apart = [
        (target.gradients[e.name] - candidate.gradients[e.name]).sign() if e.name in target.gradients else None
        for e in entries
    ]
    ways: list[list[Tensor]] = [[torch.ones_like(t) for t in inputs]]
    ways.append([torch.ones_like(t) if a is None else a.to(t) for t, a in zip(inputs, apart, strict=True)])
    ways += [[torch.randn(t.shape, generator=generator).to(t) for t in inputs] for _ in range(2)]
    for way in ways:
        noise = [torch.rand(t.shape, generator=generator).to(t) for t in inputs]
        for sign in (1.0, -1.0):
            yield [
                _moved(entry, t, sign * (direction + 0.1 * n))
                for entry, t, direction, n in zip(entries, inputs, way, noise, strict=True)
            ]


def _moved(entry: InputSpec, tensor: Tensor, direction: Tensor) -> Tensor:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return tensor
    moved = tensor + DISTANCE * (1 + tensor.abs()) * direction
    match entry.domain:
        case Real() | Sorted():
            return moved
        case Interval(low=low, high=high):
            return moved.clamp(low, high)
        case _:
            return tensor
