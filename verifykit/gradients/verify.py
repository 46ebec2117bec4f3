"""Verifies the gradient of a function at one point: probe, confirm, locate."""

from dataclasses import replace

import torch

from verifykit.gradients.function import Function, Linearization, Tensors
from verifykit.gradients.locate import locate
from verifykit.gradients.probe import Probe, draw_probe, judge
from verifykit.gradients.verdict import Element, Mismatch, Verdict
from verifykit.spec.threads import threads_for


class NotDifferentiableError(Exception):
    """There is nothing to differentiate: no leaf, or no floating-point output."""


def verify(function: Function, point: Tensors, *, seed: int = 0, probes: int = 1) -> Verdict:
    """Compare autograd with differences along ``probes`` random directions at ``point``; locate what is wrong.

    ``point`` holds double-precision tensors. What the function or its backward raises passes through.

    Raises:
        NotDifferentiableError: there is no leaf, or no floating-point output.
    """
    with threads_for(sum(leaf.numel() for leaf in point)):
        return _verify(function, point, seed, probes)


def disagrees(function: Function, point: Tensors, *, seed: int = 0) -> bool:
    """Whether one random direction shows the gradient at ``point`` to be wrong; a cheap test, without location."""
    linear = function.linearize(point)
    if not linear.outputs or not all(output.isfinite().all() for output in linear.outputs):
        return False
    return judge(function, linear, draw_probe(linear, torch.Generator().manual_seed(seed))).kind == "mismatch"


def _verify(function: Function, point: Tensors, seed: int, probes: int) -> Verdict:
    linear = function.linearize(point)
    if not point:
        raise NotDifferentiableError("there is no floating-point leaf")
    if not linear.outputs:
        raise NotDifferentiableError("there is no floating-point output")
    for index, output in enumerate(linear.outputs):
        if not output.isfinite().all():
            return Verdict("not decided", f"output {index} holds NaN or infinity at the point")
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


def _confirm(
    function: Function, linear: Linearization, probe: Probe, generator: torch.Generator, verdict: Verdict
) -> Verdict:
    """A mismatch is believed when it can be pinned to elements, or shows along a second direction too."""
    mismatches = tuple(locate(function, linear, probe))
    if mismatches:
        cut = all(found.pattern == "missing" for found in mismatches)
        return replace(verdict, kind="graph cut" if cut else "mismatch", mismatches=mismatches)
    second = judge(function, linear, draw_probe(linear, generator))
    if second.kind == "mismatch":
        return second
    return replace(verdict, kind="not decided", reason="a discrepancy along one direction, none along another")


def _not_finite(linear: Linearization, probe: Probe) -> Mismatch | None:
    for name, gradient in zip(linear.names, probe.gradients, strict=True):
        bad = ~gradient.isfinite()
        if bad.any():
            flat = int(bad.flatten().int().argmax())
            index = tuple(int(i) for i in torch.unravel_index(torch.tensor(flat), gradient.shape))
            element = Element(name, index, gradient.flatten()[flat].item(), float("nan"), float("inf"))
            cause = "backward yields NaN or infinity at a point where forward is finite"
            return Mismatch(element, int(bad.sum()), gradient.numel(), "not finite", cause)
    return None
