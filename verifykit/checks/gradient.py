"""gradient: autograd's gradients agree with numerical ones."""

from collections.abc import Iterator
from typing import Any

import msgspec

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import PROBES, Point, mismatch_finding, smallest_counterexample, verdicts
from verifykit.gradients.verdict import Verdict
from verifykit.gradients.verify import NotDifferentiableError
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject

# Inputs of more elements than this are not spelt out.
SHOWN = 12
# Leaves that are wrong in the same way, from which on they are told together.
MANY = 4


@check("gradient", family="gradients")
def gradient(subject: Subject) -> Iterator[Finding | Verified]:
    """Gradients with respect to every input and parameter agree with numerical differentiation.

    What:
        Compares the derivative that autograd gives along random directions over all inputs and parameters at once with
        one from differences on a ladder of steps, in double precision, whose error bar is measured. A discrepancy is
        an error when it exceeds the error bar tenfold, in eval or training mode, at everyday or at mixed scales; it
        is then traced to the leaf, the elements and their pattern.

    Why it matters:
        A wrong gradient rarely raises anything: training goes on, and ends somewhere worse.

    Wrong:
        @staticmethod
        def backward(ctx, grad_output):
            x, weight = ctx.saved_tensors
            return grad_output @ weight, 2 * grad_output.T @ x

    Right:
        @staticmethod
        def backward(ctx, grad_output):
            x, weight = ctx.saved_tensors
            return grad_output @ weight, grad_output.T @ x

    When to ignore:
        When the gradient is meant to differ: straight-through estimators, gradient reversal, stop-gradient.
    """
    try:
        found = verdicts(subject)
    except NotDifferentiableError as error:
        raise Skip(str(error)) from None
    except Exception as error:
        yield Finding(f"differentiating it raises {one_line(error)}", location=raised_location(error))
        return
    found = [(point, verdict) for point, verdict in found if verdict.kind != "graph cut"]
    for point, verdict in found:
        if verdict.kind == "lost precision":
            raise Inconclusive(f"in double precision, {verdict.reason}; the check precision tells where")
        if verdict.mismatches:
            yield from _merged([*_findings(subject, point, verdict)])
    if any(verdict.is_wrong for _, verdict in found):
        return
    if not found:
        raise Skip("autograd sees no dependence on any leaf: graph-cut tells")
    matched = [(point, verdict) for point, verdict in found if verdict.kind in ("match", "kink")]
    undecided = [f"{point.name}: {v.kind}, {v.reason}" for point, v in found if v.kind not in ("match", "kink")]
    if not matched:
        raise Inconclusive("; ".join(undecided))
    names = ", ".join(matched[0][0].call.names)
    what = f"gradients of {names} ({'; '.join(point.name for point, _ in matched)})"
    kinks = [f"{point.name}: {verdict.reason}" for point, verdict in matched if verdict.kind == "kink"]
    bar = max(verdict.relative_bar for _, verdict in matched)
    worst = max(verdict.relative_error for _, verdict in matched)
    yield Verified("; ".join([what, *kinks, *undecided]), PROBES * len(matched), worst, f"10 error bars of {bar:.1g}")


def _merged(findings: list[Finding]) -> Iterator[Finding]:
    """Many leaves that are wrong at one line, in one way, are one finding with their names."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        leaf = str(finding.evidence["leaf"])
        groups.setdefault((finding.location, finding.message.replace(leaf, "")), []).append(finding)
    for group in groups.values():
        if len(group) < MANY:
            yield from group
            continue
        leaves = [finding.evidence["leaf"] for finding in group]
        message = f"{group[0].message} ({len(leaves) - 1} more leaves likewise)"
        yield msgspec.structs.replace(group[0], message=message, evidence={**group[0].evidence, "leaves": leaves})


def _findings(subject: Subject, point: Point, verdict: Verdict) -> Iterator[Finding]:
    case = smallest_counterexample(subject)
    small: dict[str, Any] = {}
    if case is not None:
        small["smallest sizes"] = case.sizes
        small |= {
            f"smallest {name}": value.tolist()
            for name, value in zip(subject.input_names, case.inputs, strict=True)
            if value.numel() <= SHOWN and not value.is_complex()
        }
    for mismatch in verdict.mismatches:
        finding = mismatch_finding(subject, point, verdict, mismatch)
        yield msgspec.structs.replace(finding, evidence={**finding.evidence, **small})
