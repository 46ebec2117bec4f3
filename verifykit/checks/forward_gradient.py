"""forward-gradient: forward mode agrees with numerical differentiation."""

from collections.abc import Iterator

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import sound_point
from verifykit.gradients.forward import verify_forward
from verifykit.gradients.verify import NotDifferentiableError
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject
from verifykit.targets import locate
from verifykit.tracing import custom_functions

PROBES = 2


@check("forward-gradient", family="gradients", requires=("gradient", "graph-cut"))
def forward_gradient(subject: Subject) -> Iterator[Finding | Verified]:
    """Forward-mode derivatives, where the module has them, agree with numerical differentiation.

    What:
        Pushes a random direction over all inputs and parameters through the module as dual numbers and compares the
        result with differences, as the check gradient does. Skipped where an operator has no forward mode and says so.

    Why it matters:
        torch.func.jvp, jacfwd and Hessians use it; a hand-written jvp is as easily wrong as a backward.

    Wrong:
        @staticmethod
        def jvp(ctx, tangent):
            return tangent  # of x**2

    Right:
        @staticmethod
        def jvp(ctx, tangent):
            return 2 * ctx.x * tangent

    When to ignore:
        When forward mode is not offered; better, leave jvp out, so that using it raises.
    """
    try:
        point = sound_point(subject)
        function = point.function(subject.seed)
        verdict = verify_forward(function, point.call.point, seed=subject.seed, probes=PROBES)
    except NotDifferentiableError as error:
        raise Skip(str(error)) from None
    except (NotImplementedError, RuntimeError) as error:
        raise Skip(f"no forward mode: {one_line(error)}") from None
    if verdict.kind == "mismatch":
        evidence = {"forward mode": verdict.analytic, "numerical": verdict.numerical, "error bar": verdict.bar}
        linear = function.linearize(point.call.point)
        written = {f for leaf in linear.leaves for f in custom_functions(linear.outputs, leaf) if "jvp" in vars(f)}
        if not written:
            raise Inconclusive("forward mode gives another derivative, through an operator that does not support it")
        where = locate(written.pop().jvp) if len(written) == 1 else None
        yield Finding("the derivative along a random direction is wrong in forward mode", None, evidence, where)
        return
    if verdict.kind not in ("match", "kink"):
        raise Inconclusive(f"{verdict.kind}: {verdict.reason}")
    yield Verified(
        f"forward mode over {', '.join(point.call.names)}",
        PROBES,
        verdict.relative_error,
        f"10 error bars of {verdict.relative_bar:.1g}",
    )
