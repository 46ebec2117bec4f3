"""One probe: a random direction over some leaves, its derivative from autograd and from differences, and a verdict."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verifykit.gradients.estimate import RUNGS, Estimate, estimate, moved
from verifykit.gradients.function import (
    Function,
    Linearization,
    Tangents,
    Tensors,
    inner,
    norm_of_product,
    random_signs,
    real,
)
from verifykit.gradients.verdict import Verdict

# The ladder ends early once the error bar is below this share of the scale.
GOOD = 1e-11
# What backward itself may lose to rounding, as a share of the scale.
ROUNDING = 2e-12
# By how much a discrepancy must exceed the error bar to be called one.
MARGIN = 10.0
# An error bar above this share of the scale proves nothing.
USELESS = 1e-7
# A derivative below this share of the outputs is zero as far as differences can tell.
ZERO = 1e-10
# Rounding error of the function, relative to its size, above which it does not compute in double precision.
DOUBLE = 1e-11


@dataclass(frozen=True)
class Probe:
    """The direction ``tangents`` (``None`` for a leaf that stays) and the cotangents and gradients of one backward.

    ``claimed`` is the derivative to be judged where it comes from elsewhere than these gradients. ``size`` is what the
    rounding error of the outputs is in proportion to, where that is more than the outputs that count.
    """

    tangents: Tangents
    cotangents: Tensors
    gradients: Tensors
    claimed: float | None = None
    size: float = 0.0

    @property
    def _moving(self) -> tuple[Tensors, Tensors]:
        pairs = [(g, v) for g, v in zip(self.gradients, self.tangents, strict=True) if v is not None]
        return [g for g, _ in pairs], [v for _, v in pairs]

    @property
    def analytic(self) -> float:
        """The derivative along the tangents that autograd gives."""
        return inner(*self._moving) if self.claimed is None else self.claimed

    @property
    def scale(self) -> float:
        """The root of the sum of squares of what the elements contribute to it."""
        return norm_of_product(*self._moving)


def lengths(leaf: Tensor) -> Tensor:
    """Return how far a step moves each element of ``leaf``, as reals: in proportion to it, but to no less than a tenth
    of the root mean square, so that a relative step keeps every element on its side of zero where it can.
    """
    magnitude = leaf.abs()
    typical = float(torch.linalg.vector_norm(magnitude)) / math.sqrt(max(1, leaf.numel()))
    magnitude = magnitude.clamp_(min=0.1 * typical or 1.0)
    return magnitude[..., None].expand(*leaf.shape, 2) if leaf.is_complex() else magnitude


def draw_tangent(leaf: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random direction whose elements are of about the ``lengths`` of the leaf."""
    signs = random_signs(leaf, generator)
    real(signs).mul_(lengths(leaf))
    return signs


def draw_probe(linear: Linearization, generator: torch.Generator) -> Probe:
    """Draw cotangents and tangents over all leaves, and run backward once."""
    cotangents = [random_signs(output, generator).to(output.dtype) for output in linear.outputs]
    gradients = pull_back(linear, cotangents)
    return Probe([draw_tangent(leaf.detach(), generator) for leaf in linear.leaves], cotangents, gradients)


def pull_back(linear: Linearization, cotangents: Tensors) -> Tensors:
    """Return the gradient of every leaf, zeros where autograd sees no dependence."""
    found = linear.vjp(cotangents)
    return [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, linear.leaves, strict=True)]


def judge(function: Function, linear: Linearization, probe: Probe, *, rungs: int = RUNGS) -> Verdict:
    """Compare the two derivatives along the probe; explain where they cannot be compared."""
    point = [leaf.detach() for leaf in linear.leaves]
    values = linear.values
    analytic, scale = probe.analytic, probe.scale
    size = max(probe.size, norm_of_product(probe.cotangents, values))
    found = estimate(function, point, probe.tangents, probe.cotangents, values, GOOD * scale, rungs, size)
    if not found.known:
        return Verdict(
            "not decided",
            "every step from the point leads out of the domain, to values that are not finite or an exception",
            analytic,
        )
    scale = max(scale, abs(found.value), 1e-300)
    verdict = Verdict("match", "", analytic, found.value, found.bar, scale, found.evaluations)
    if abs(analytic) + abs(found.value) + found.bar <= ZERO * size:
        return replace(verdict, scale=size, reason="zero, to the rounding error of the outputs")
    discrepancy = abs(analytic - found.value)
    tolerance = MARGIN * found.bar + ROUNDING * scale
    if discrepancy <= tolerance and found.bar <= USELESS * scale:
        return verdict
    return replace(_explain(function, point, probe, values, found, verdict), evaluations=found.evaluations + 3)


def _explain(
    function: Function, point: Tensors, probe: Probe, values: Tensors, found: Estimate, verdict: Verdict
) -> Verdict:
    """Why the two differ, or why that cannot be said; in the order in which one cause would hide the next."""
    again = function(moved(point, [None] * len(point), 0.0))
    if any(not torch.equal(a, b) for a, b in zip(again, values, strict=True)):
        return replace(verdict, kind="nondeterministic", reason="two evaluations at the same point differ")
    discrepancy = abs(verdict.analytic - verdict.numerical)
    if found.growth > 30 and found.bar > USELESS * verdict.scale:
        reason = f"differences grow as the step shrinks, {found.growth:.3g} times over the ladder: a jump at the point"
        return replace(verdict, kind="jump", reason=reason)
    gap = abs(found.gap)
    if gap > 0.1 * discrepancy and gap > 100 * found.bar and gap > 1e-9 * verdict.scale:
        low, high = found.value - gap / 2 - MARGIN * found.bar, found.value + gap / 2 + MARGIN * found.bar
        between = low <= verdict.analytic <= high
        reason = f"the derivatives on the two sides are {found.value - gap / 2:.6g} and {found.value + gap / 2:.6g}"
        if between:
            return replace(verdict, kind="kink", reason=f"{reason}; autograd's lies between them")
        return replace(verdict, kind="not decided", reason=f"a kink: {reason}, autograd's is {verdict.analytic:.6g}")
    noise = _noise(function, point, probe, values, found)
    if noise > DOUBLE:
        reason = f"it rounds to about {noise:.1g} of its size, where double precision would round to 2e-16"
        return replace(verdict, kind="lost precision", reason=reason)
    if discrepancy > MARGIN * found.bar + ROUNDING * verdict.scale and gap <= 0.1 * discrepancy:
        return replace(verdict, kind="mismatch")
    reason = f"the differences agree among themselves only to {found.bar / verdict.scale:.1g} of the derivative"
    return replace(verdict, kind="not decided", reason=reason)


def _noise(function: Function, point: Tensors, probe: Probe, values: Tensors, found: Estimate) -> float:
    """How far, relative to its size, the function strays from its own tangent over a very small step."""
    step = 1e-7
    size = norm_of_product(probe.cotangents, values)
    if size == 0:
        return 0.0
    ahead, behind = (function(moved(point, probe.tangents, sign * step)) for sign in (1, -1))
    change = inner(probe.cotangents, [a - b for a, b in zip(ahead, behind, strict=True)])
    allowed = 2 * step * (found.bar + abs(found.gap))
    return max(0.0, abs(change - 2 * step * found.value) - allowed) / size
