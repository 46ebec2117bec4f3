"""Forward-mode derivatives by dual numbers, judged like those of backward."""

from dataclasses import replace
from typing import Any

import torch
import torch.autograd.forward_ad as forward_ad
from torch import Tensor

from verifykit.gradients.function import Function, Tensors, inner
from verifykit.gradients.probe import draw_probe, judge
from verifykit.gradients.verdict import Verdict
from verifykit.gradients.verify import NotDifferentiableError
from verifykit.spec.threads import threads_for

# Untyped in torch.
_make_dual: Any = forward_ad.make_dual
_unpack_dual: Any = forward_ad.unpack_dual


def verify_forward(function: Function, point: Tensors, *, seed: int = 0, probes: int = 1) -> Verdict:
    """Compare forward mode with differences along random directions; return the first verdict that is not a match, else
    the one with the greatest error. An operator without forward mode raises ``NotImplementedError`` or
    ``RuntimeError``.

    Raises:
        NotDifferentiableError: there is no leaf, or no floating-point output.
    """
    generator = torch.Generator().manual_seed(seed)
    verdicts = []
    with threads_for(sum(leaf.numel() for leaf in point)):
        for _ in range(probes):
            linear = function.linearize(point)
            if not linear.outputs or not linear.leaves:
                raise NotDifferentiableError("there is nothing to differentiate")
            probe = draw_probe(linear, generator)
            tangents = [v for v in probe.tangents if v is not None]
            claimed = _derivative(function, point, tangents, probe.cotangents)
            verdict = judge(function, linear, replace(probe, claimed=claimed))
            if verdict.kind not in ("match", "kink"):
                return verdict
            verdicts.append(verdict)
    return max(verdicts, key=lambda verdict: verdict.relative_error)


def _derivative(function: Function, point: Tensors, tangents: Tensors, cotangents: Tensors) -> float:
    """Return ``<cotangents, jvp(tangents)>``."""
    with forward_ad.dual_level():
        duals = [_make_dual(p, v.to(p.dtype)) for p, v in zip(point, tangents, strict=True)]
        pushed: list[Tensor] = []
        used: list[Tensor] = []
        for output, cotangent in zip(function.outputs(duals), cotangents, strict=True):
            tangent = _unpack_dual(output).tangent
            if tangent is not None:
                pushed.append(tangent.detach())
                used.append(cotangent)
        return inner(used, pushed)
