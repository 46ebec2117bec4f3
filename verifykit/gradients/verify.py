"""Verifies a gradient at one point: probe, confirm, locate; compare all elements where that is cheap."""

from dataclasses import replace
from itertools import accumulate

import torch

from verifykit.comparison import unravelled
from verifykit.gradients import dense
from verifykit.gradients.function import Function, Linearization, Tensors, real
from verifykit.gradients.locate import examine, locate
from verifykit.gradients.probe import Probe, draw_probe, draw_tangent, judge, pull_back
from verifykit.gradients.verdict import Element, Mismatch, Verdict
from verifykit.spec.threads import threads_for

# How many elements on which the whole Jacobians disagree are looked at again.
EXAMINED = 24


class NotDifferentiableError(Exception):
    """There is nothing to differentiate: no leaf, or no floating-point output."""


def verify(
    function: Function, point: Tensors, *, seed: int = 0, probes: int = 1, elementwise: bool | None = None
) -> Verdict:
    """Compare autograd with differences along ``probes`` random directions at ``point``; locate what is wrong.

    ``elementwise`` compares every element of the Jacobians first, and then probes in one direction, which also sees a
    backward that is not linear in its cotangent; ``None`` does so where it is cheaper. ``point`` holds double-precision
    tensors. What the function or its backward raises passes through.

    Raises:
        NotDifferentiableError: there is no leaf, or no floating-point output.
        TooLargeError: the Jacobian asked for would exceed the budget.
    """
    with threads_for(sum(leaf.numel() for leaf in point)):
        return _verify(function, point, seed, probes, elementwise)


def disagrees(function: Function, point: Tensors, *, seed: int = 0) -> bool:
    """Whether one random direction shows the gradient at ``point`` to be wrong; a cheap test, without location."""
    linear = function.linearize(point)
    if not linear.outputs or not all(output.isfinite().all() for output in linear.outputs):
        return False
    return judge(function, linear, draw_probe(linear, torch.Generator().manual_seed(seed))).kind == "mismatch"


def _verify(function: Function, point: Tensors, seed: int, probes: int, elementwise: bool | None) -> Verdict:
    linear = function.linearize(point)
    if not point:
        raise NotDifferentiableError("there is no floating-point leaf")
    if not linear.outputs:
        raise NotDifferentiableError("there is no floating-point output")
    for index, output in enumerate(linear.outputs):
        if not output.isfinite().all():
            return Verdict("not decided", f"output {index} holds NaN or infinity at the point")
    if elementwise is None:
        elementwise = dense.is_cheaper(function, linear, probes)
    compared = dense.compare(function, linear) if elementwise else None
    verdict = _probed(function, linear, seed, probes if compared is None else 1)
    if compared is None or verdict.kind not in ("match", "kink"):
        return verdict
    if compared.suspects and (confirmed := _examined(function, linear, compared.suspects)):
        return replace(verdict, kind="mismatch", reason="", mismatches=(confirmed,))
    return replace(verdict, elements=compared.elements - compared.undecided - len(compared.suspects))


def _probed(function: Function, linear: Linearization, seed: int, probes: int) -> Verdict:
    generator = torch.Generator().manual_seed(seed)
    verdict = Verdict("match")
    for _ in range(probes):
        probe = draw_probe(linear, generator)
        if found := _not_finite(linear, probe):
            return Verdict("mismatch", "a gradient is not finite where the outputs are", mismatches=(found,))
        verdict = judge(function, linear, probe)
        if verdict.kind == "mismatch":
            return _confirm(function, linear, probe, generator, verdict)
        if verdict.kind != "match":
            return verdict
    return verdict


def _examined(function: Function, linear: Linearization, suspects: list[dense.Suspect]) -> Mismatch | None:
    """Look again, one by one, at the worst element and those in doubt beside it."""
    worst = suspects[0]
    cotangents = [torch.zeros_like(output) for output in linear.values]
    # Views of the cotangents, so that one number can be set whichever output it belongs to.
    parts = [real(cotangent).view(-1) for cotangent in cotangents]
    output = next(i for i, end in enumerate(accumulate(map(len, parts))) if worst.output < end)
    parts[output][worst.output - sum(map(len, parts[:output]))] = 1.0
    tangents = [draw_tangent(leaf.detach(), torch.Generator().manual_seed(0)) for leaf in linear.leaves]
    size = float(dense.rounding_sizes(linear)[worst.output])
    probe = Probe(tangents, cotangents, pull_back(linear, cotangents), size=size)
    beside = [s.element for s in suspects if (s.leaf, s.output) == (worst.leaf, worst.output)]
    return examine(function, linear, probe, worst.leaf, beside[:EXAMINED])


def _confirm(
    function: Function, linear: Linearization, probe: Probe, generator: torch.Generator, verdict: Verdict
) -> Verdict:
    """A mismatch is believed when it can be pinned to elements, or shows along a second direction too."""
    mismatches = tuple(locate(function, linear, probe))
    if mismatches and not any(found.wrong or found.examined < _size(linear, found) for found in mismatches):
        return replace(verdict, kind="not decided", reason="every element by itself agrees, within its error bar")
    if mismatches:
        cut = all(found.pattern == "missing" for found in mismatches)
        return replace(verdict, kind="graph cut" if cut else "mismatch", mismatches=mismatches)
    second = judge(function, linear, draw_probe(linear, generator))
    if second.kind == "mismatch":
        return second
    return replace(verdict, kind="not decided", reason="a discrepancy along one direction, none along another")


def _size(linear: Linearization, found: Mismatch) -> int:
    return linear.leaves[list(linear.names).index(found.element.leaf)].numel()


def _not_finite(linear: Linearization, probe: Probe) -> Mismatch | None:
    for name, gradient in zip(linear.names, probe.gradients, strict=True):
        bad = ~gradient.isfinite()
        if bad.any():
            flat = int(bad.flatten().int().argmax())
            index = unravelled(flat, gradient.shape)
            element = Element(name, index, gradient.flatten()[flat].item(), float("nan"), float("inf"))
            cause = "backward yields NaN or infinity at a point where forward is finite"
            return Mismatch(element, int(bad.sum()), gradient.numel(), "not finite", cause)
    return None
