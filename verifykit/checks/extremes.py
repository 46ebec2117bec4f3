"""extremes: outputs and gradients are numbers at extreme values of the inputs."""

from collections.abc import Iterator

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.numerics.blame import operation
from verifykit.experiments.numerics.points import Point, rays, special_points
from verifykit.experiments.numerics.probe import Failure, Probe
from verifykit.experiments.observation import plain_outputs
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.subject import Subject
from verifykit.tracing import Step

_OVERFLOW = {
    "exp": "exp of a large number overflows: subtract the maximum first, or use softmax, logsumexp, sigmoid, softplus",
    "log": "log of a number that was rounded to 0: use log_softmax, logsigmoid or log1p, that never form it",
    "sqrt": "a difference that was rounded below 0 has no root: subtract the mean first, or clamp",
}
_SINGULAR = {
    "sqrt": "the slope of a root is infinite at 0: add a small constant inside the root",
    "rsqrt": "add a small constant inside the root",
    "pow": "add a small constant to the base",
    "norm": "add a small constant inside the root",
    "division": "add a small constant to the divisor, or clamp it",
    "log": "clamp the argument, or use torch.xlogy for 0 * log 0",
    "acos": "keep the argument inside -1 and 1 by a small margin",
    "asin": "keep the argument inside -1 and 1 by a small margin",
}


@check("extremes", family="numerics")
def extremes(subject: Subject) -> Iterator[Finding | Verified]:
    """Outputs and gradients are finite at zeros, ties, large values and the ends of what the inputs may be.

    What:
        Calls the module in single precision on zeros, constants, equal rows, equal inputs, one-hot rows, the ends of
        intervals, and values up to 10000, and looks for infinities and NaN in outputs and gradients. Where there are
        any, double precision at the same point, the first magnitude at which single precision fails, and what lies
        around the point decide: a number that single precision could have found is a defect of the formulation, as is
        NaN at a point around which everything is bounded. A function that truly grows beyond all numbers is left alone.

    Why it matters:
        A padded row, a dead unit, a perfect prediction or one large logit turns the loss to NaN, and after one step of
        the optimiser every weight with it.

    Wrong:
        def forward(self, x):
            weights = x.exp()
            return weights / weights.sum(-1, keepdim=True)

    Right:
        def forward(self, x):
            return x.softmax(-1)

    When to ignore:
        When such values cannot occur. Then say so in the domain of the input: float[N, 5] in [-1, 1].
    """
    entries = subject.spec.inputs
    if not entries:
        raise Skip("it takes no input")
    probe = Probe(subject)
    plain = probe.evaluate(subject.draw(), torch.float32)
    if plain is None:
        raise Skip("it does not work in single precision")
    if not plain.outputs:
        raise Skip("it returns no floating-point numbers")
    if any(bool(t.isnan().any()) for t in plain.outputs.values()):
        yield _nan_already(subject, probe)
        return
    if any(bool(t.isnan().any()) for t in plain.gradients.values()):
        raise Inconclusive("at ordinary values its gradients are NaN already, which the check gradient tells of")
    failures: list[tuple[Failure, Step | None]] = []
    seen = 0
    for mode in (probe, *_training(subject)):
        for failure in _failures(mode):
            seen += 1
            if failure is not None and _severity(failure) is not None:
                failures.append((failure, mode.origin(failure)))
    for group in _by_cause(failures):
        yield _finding(group)
    yield Verified("finite outputs and gradients at zeros, ties, ends and magnitudes up to 10000", seen)


def _nan_already(subject: Subject, probe: Probe) -> Finding:
    if subject.spec.guesses:
        raise Inconclusive("its outputs are NaN for the inputs that were guessed: --input tells their range")
    found = probe.failure(Point("ordinary values", subject.draw()))
    step = probe.origin(found) if found is not None else None
    message = (
        "outputs are NaN for ordinary values of the inputs; if these cannot occur, say so in the domain of the input"
    )
    evidence = {"tensor": found.what, "element": list(found.element)} if found is not None else {}
    return Finding(message, "warning", evidence, step.location if step is not None else None)


def _training(subject: Subject) -> Iterator[Probe]:
    """The same in training mode, where that differs: statistics of the batch."""
    try:
        same = all(
            torch.equal(one, plain_outputs(subject, training=True)[name])
            for name, one in plain_outputs(subject).items()
        )
    except Exception:  # training mode gives other outputs, or cannot be called: other checks tell
        return
    if not same:
        yield Probe(subject, training=True)


def _failures(probe: Probe) -> Iterator[Failure | None]:
    """One for each point, ``None`` where all is finite."""
    for point in special_points(probe.subject):
        yield probe.failure(point)
    if probe.training:
        return
    for ray in rays(probe.subject):
        for size in ray.sizes:
            found = probe.failure_along(ray, size)
            yield found
            if found is not None and _severity(found) is not None:
                break


def _severity(failure: Failure) -> Severity | None:
    """``None`` for what is no fault: the function itself is infinite there."""
    point, is_gradient = failure.point, failure.kind == "gradient"
    match failure.cause:
        case "unstable" | "isolated":
            return "error" if point.ordinary else "warning"
        case "region" if is_gradient:  # the outputs are numbers there
            return "error" if failure.is_nan and point.ordinary else "warning"
        case "region" if failure.is_nan:
            return "warning"
        case "pole" if failure.is_nan:
            return "warning"
        case "pole" if is_gradient:
            return "note"
        case _:
            return None


def _by_cause(failures: list[tuple[Failure, Step | None]]) -> list[list[tuple[Failure, Step | None]]]:
    """Group by the line at fault, the gravest first; the gravest group alone of each way to fail, since an overflow on
    one line shows on the next ones too.
    """
    ranks = {"error": 0, "warning": 1, "note": 2, None: 3}

    def rank(pair: tuple[Failure, Step | None]) -> tuple[int, bool]:
        return ranks[_severity(pair[0])], pair[0].kind == "gradient"

    groups: dict[Location | None, list[tuple[Failure, Step | None]]] = {}
    for pair in sorted(failures, key=rank):
        groups.setdefault(pair[1].location if pair[1] is not None else None, []).append(pair)
    first: dict[str, list[tuple[Failure, Step | None]]] = {}
    for group in sorted(groups.values(), key=lambda group: rank(group[0])):
        first.setdefault(group[0][0].cause, group)
    return list(first.values())


def _finding(group: list[tuple[Failure, Step | None]]) -> Finding:
    failure, step = group[0]
    mode = " in training mode" if failure.training else ""
    name = operation(step) if step is not None else None
    message = f"with {failure.point.says}{mode}, {failure.what} is {_number(failure.value)}{_why(failure)}"
    hint = (_OVERFLOW if failure.cause == "unstable" else _SINGULAR).get(name or "")
    if hint:
        message += f"; {hint}"
    evidence = {
        "tensor": failure.what,
        "element": list(failure.element),
        "single precision": _number(failure.value),
        "double precision": _number(failure.double),
    }
    if name:
        evidence["operation"] = name
    others = list(dict.fromkeys(other.point.says for other, _ in group[1:] if other.point.says != failure.point.says))
    if others:
        evidence["also with"] = ", ".join(others[:3]) + (f", and {len(others) - 3} more" if len(others) > 3 else "")
    return Finding(message, _severity(failure), evidence, step.location if step is not None else None)


def _why(failure: Failure) -> str:
    point: Point = failure.point
    match failure.cause:
        case "unstable":
            return f" in single precision, where double precision finds {_number(failure.double)}"
        case "isolated":
            return ", although it is bounded all around that point"
        case "pole":
            return ", and grows without bound near that point"
        case _ if failure.kind == "gradient":
            return ", although the outputs are finite"
        case _ if point.chosen:
            return ", a choice that the input's domain allows"
        case _:
            return " there and around it, although the input's domain allows such values"


def _number(value: complex | float) -> str:
    return f"{value:.4g}"
