"""The gradient engine applied to a subject: at several points, in eval and in training mode."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from verifykit.errors import one_line
from verifykit.gradients.diagnose import STRAIGHT_THROUGH
from verifykit.gradients.function import Function
from verifykit.gradients.verdict import Mismatch, Verdict
from verifykit.gradients.verify import NotDifferentiableError, disagrees, verify
from verifykit.results import Finding, Location, Severity
from verifykit.spec.domain import Real
from verifykit.spec.functional import PureCall, pure_call
from verifykit.spec.strategies import Case, cases, cast, refute
from verifykit.spec.subject import Subject
from verifykit.targets import locate
from verifykit.tracing import custom_functions, trace, where_gradient_stops

PROBES = 2
# Examples among which a smaller counterexample is looked for, and seconds for that.
SEARCHED, SECONDS = 20, 2.0


@dataclass(frozen=True)
class Point:
    """Where the gradient is looked at: a name for reports, and the module and inputs there."""

    name: str
    call: PureCall

    def function(self, seed: int) -> Function:
        """The module as a function of its leaves, random draws fixed by ``seed``."""
        return Function(self.call, self.call.names, seed)


def points(subject: Subject) -> Iterator[Point]:
    """Yield a plain random point in eval mode, one in training mode, and one at mixed signs and scales, 1e-3 to 1e3,
    with parameters moved off the special values that they are often initialised to.
    """
    yield Point("eval mode, plain values", pure_call(subject, subject.build(), subject.draw()))
    yield Point("training mode, plain values", pure_call(subject, subject.build(training=True), subject.draw(seed=1)))
    module, inputs = subject.build(), subject.draw(seed=2)
    generator = torch.Generator().manual_seed(subject.seed)
    _move_parameters(module, generator)
    mixed = tuple(
        _rescaled(value, generator) if isinstance(entry.domain, Real) else value
        for entry, value in zip(subject.spec.inputs, inputs, strict=True)
    )
    yield Point("eval mode, mixed scales", pure_call(subject, module, mixed))


def verdicts(subject: Subject) -> list[tuple[Point, Verdict]]:
    """Return the verdict at each point; computed once for a subject. What the module raises passes through."""

    def compute() -> list[tuple[Point, Verdict]]:
        found = []
        for point in map(_without_refusals, points(subject)):
            verdict = _verified(point, subject.seed)
            found.append((point, verdict))
            if verdict.kind == "graph cut":
                # What is cut is said once; the rest can be judged without it.
                cut = {mismatch.element.leaf for mismatch in verdict.mismatches}
                rest = _keeping(point, [name for name in point.call.names if name not in cut])
                if rest.call.names:
                    found.append((rest, _verified(rest, subject.seed)))
            if any(verdict.is_wrong for _, verdict in found):  # the other points would say it again
                break
        return found

    return subject.once("gradient verdicts", compute)


def first_point(subject: Subject) -> Point:
    """Return the plain point in eval mode."""
    return _without_refusals(next(points(subject)))


def sound_point(subject: Subject) -> Point:
    """Return the plain point in eval mode, over the leaves whose first derivative is right: what is wrong with the
    others has been said.

    Raises:
        NotDifferentiableError: there is no such leaf, or the first derivative cannot be computed.
    """
    try:
        point, found = first_point(subject), verdicts(subject)
    except Exception as error:
        raise NotDifferentiableError(f"its gradient cannot be computed: {one_line(error)}") from error
    wrong = {mismatch.element.leaf for _, verdict in found for mismatch in verdict.mismatches}
    sound = [name for name in point.call.names if name not in wrong]
    if not sound:
        raise NotDifferentiableError("there is no leaf whose first derivative is right")
    return _keeping(point, sound)


def smallest_counterexample(subject: Subject) -> Case | None:
    """Search for sizes and values, as small as they come, at which the gradient is wrong in eval mode."""
    module = subject.build()

    def holds(case: Case) -> None:
        call = pure_call(subject, module, cast(case.inputs, torch.float64, subject.device))
        assert not disagrees(Function(call, call.names, subject.seed), call.point, seed=subject.seed)

    refuted = refute(holds, cases(subject.spec), examples=SEARCHED, seed=subject.seed, seconds=SECONDS)
    return refuted[0] if refuted is not None and isinstance(refuted[1], AssertionError) else None


def blame(point: Point, mismatch: Mismatch, seed: int) -> tuple[Location | None, str | None]:
    """Return the line to look at, the backward of a hand-written Function on the way to the leaf, else the line at
    which the gradient stops; and how somebody stops it there in so many words, by ``detach()``, ``item()`` or
    ``no_grad``, if so.
    """
    linear = point.function(seed).linearize(point.call.point)
    leaf = linear.leaves[point.call.names.index(mismatch.element.leaf)]
    for function in custom_functions(linear.outputs, leaf):
        return locate(function.backward), None
    stop = where_gradient_stops(lambda: point.call(linear.leaves), leaf)
    if stop is None:  # torch's own straight-through estimate
        drawn = (step for step in trace(lambda: point.call(linear.leaves)) if step.name.endswith(".gumbel_softmax"))
        estimate = next(drawn, None)
        return (estimate.location, "gumbel_softmax(hard=True)") if estimate is not None else (None, None)
    if stop.leaves_torch or stop.name.endswith(".detach"):
        return stop.location, f"{stop.name.rpartition('.')[2].strip('_')}()"
    return stop.location, None if stop.grad_enabled else "no_grad"


def severity_of(verdict: Verdict, mismatch: Mismatch) -> Severity | None:
    """Return ``warning`` for what single precision could not tell from right, and for a gradient where the function has
    none at all, which may be an estimate; ``None`` for the check's own severity.
    """
    resolution = torch.finfo(torch.float32).eps
    ratio = mismatch.element.ratio
    is_minute = verdict.relative_error < resolution and ratio is not None and abs(ratio - 1) < resolution
    is_estimate = mismatch.cause == STRAIGHT_THROUGH and mismatch.pattern == "all elements"
    return "warning" if is_minute or is_estimate else None


def mismatch_finding(
    subject: Subject,
    point: Point,
    verdict: Verdict,
    mismatch: Mismatch,
    what: str = "gradient",
    severity: Severity | None = None,
) -> Finding:
    """Return the finding that a located mismatch of ``what`` makes."""
    element = mismatch.element
    if mismatch.pattern == "missing":
        message = f"the {what} of {element.leaf} is missing, though the output depends on it: {mismatch.cause}"
    else:
        message = f"the {what} of {element.leaf} is wrong in {mismatch.pattern}: {mismatch.cause}"
    evidence = {
        "leaf": element.leaf,
        "element": list(element.index),
        "autograd": element.analytic,
        "numerical": element.numerical,
        "error bar": element.bar,
        "ratio": element.ratio,
        "wrong elements": f"{mismatch.wrong} of {mismatch.examined} looked at",
        "point": point.name,
    }
    location, stopped = blame(point, mismatch, subject.seed)
    if stopped == "no_grad" or (stopped and mismatch.pattern != "missing"):
        told = f"the {what} of {element.leaf} leaves out what goes through {stopped} here"
        meant = "a stop-gradient or straight-through estimate?"
        return Finding(f"{told}: {meant}", severity or "warning", evidence, location)
    return Finding(message, severity or severity_of(verdict, mismatch), evidence, location)


def _without_refusals(point: Point) -> Point:
    """Leave out the inputs that the function itself says it cannot be differentiated with respect to."""
    try:
        point.function(0).linearize(point.call.point)
    except RuntimeError as error:
        if "not differentiable with respect to argument" not in str(error):
            return point
        kept = [name for name in point.call.names if f"'{name}'" not in str(error)]
        if len(kept) < len(point.call.names):
            return _keeping(point, kept)
    return point


def _keeping(point: Point, names: list[str]) -> Point:
    return Point(point.name, replace(point.call, names=names))


def _verified(point: Point, seed: int) -> Verdict:
    # More than one direction: one may miss by chance an element whose gradient happens to be small.
    return verify(point.function(seed), point.call.point, seed=seed, probes=PROBES)


def _move_parameters(module: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(parameter)
            parameter.add_(0.1 * noise)


def _rescaled(value: Tensor, generator: torch.Generator) -> Tensor:
    exponent = torch.rand(value.shape, generator=generator, dtype=torch.float64) * 6 - 3
    return value * 10 ** exponent.to(value.device)
