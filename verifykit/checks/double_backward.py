"""double-backward: the gradient of the gradient is right, or refuses to be computed."""

from collections.abc import Iterator

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import mismatch_finding, severity_of, sound_point
from verifykit.gradients.function import random_signs
from verifykit.gradients.higher import backward_of
from verifykit.gradients.verify import NotDifferentiableError, verify
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject


@check("double-backward", family="gradients", requires=("gradient", "graph-cut"))
def double_backward(subject: Subject) -> Iterator[Finding | Verified]:
    """Second derivatives are right, or say that they are not to be had.

    What:
        Takes the backward as a function of inputs, parameters and cotangent, and verifies its gradient as that of any
        function. A module that refuses to be differentiated twice gets a note; one that silently gives a wrong second
        derivative, an error.

    Why it matters:
        Gradient penalties, meta-learning and Hessian-vector products differentiate twice.

    Wrong:
        @staticmethod
        def forward(ctx, x):
            ctx.x = x.detach()  # hidden from autograd: the second derivative is zero
            return x**3
        @staticmethod
        def backward(ctx, grad):
            return 3 * ctx.x**2 * grad

    Right:
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3
        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * grad

    When to ignore:
        When nobody will differentiate twice; better, mark the backward with @once_differentiable, which says so.
    """
    try:
        point = sound_point(subject)
        function = point.function(subject.seed)
        linear = function.linearize(point.call.point)
        generator = torch.Generator().manual_seed(subject.seed)
        cotangents = [random_signs(output, generator).to(output.dtype) for output in linear.outputs]
        backward = backward_of(function, len(cotangents))
        at = [*point.call.point, *cotangents]
        if backward.linearize(at).refuses():
            yield Finding("it can be differentiated once only, and says so (once_differentiable)", "note")
            return
        verdict = verify(backward, at, seed=subject.seed)
    except NotDifferentiableError as error:
        raise Skip(str(error)) from None
    except (RuntimeError, NotImplementedError) as error:
        yield Finding(f"it cannot be differentiated twice: {one_line(error)}", "note", location=raised_location(error))
        return
    for mismatch in verdict.mismatches:
        if mismatch.element.leaf in point.call.names:
            yield mismatch_finding(subject, point, verdict, mismatch, "second derivative with respect to")
        else:
            message = f"the backward is not linear in its {mismatch.element.leaf}: {mismatch.cause}"
            yield Finding(message, severity_of(verdict, mismatch))
    if verdict.is_wrong:
        return
    if verdict.kind not in ("match", "kink"):
        raise Inconclusive(f"{verdict.kind}: {verdict.reason}")
    yield Verified(
        f"second derivatives over {', '.join(point.call.names)}",
        1,
        verdict.relative_error,
        f"10 error bars of {verdict.relative_bar:.1g}",
    )
