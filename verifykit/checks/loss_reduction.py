"""loss-reduction: 'none', 'mean' and 'sum' agree with one another."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.losses.divisors import DRAWS, SAME, counts_elements, divisors_of, is_one
from verifykit.experiments.losses.probe import (
    Probe,
    Values,
    agreement,
    forward_parameters,
    parameters_of,
    probe_of,
    with_arguments,
)
from verifykit.experiments.observation import Loss, loss_of
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.subject import Subject

UNKNOWN = "averaged"


@check("loss-reduction", family="losses", requires=("determinism",))
def loss_reduction(subject: Subject) -> Iterator[Finding | Verified]:
    """The reductions of a loss agree: 'mean' averages and 'sum' adds up what 'none' returns.

    What:
        Builds or calls the loss with each value of its reduction argument on the same inputs and compares values and
        gradients: 'sum' with the sum of 'none', 'mean' with its average, or with the average weighted by what the
        targets, weights or masks say; 'batchmean' with the sum over the batch size. A value that is no reduction must
        be refused. The older size_average is read as 'mean' and 'sum'.

    Why it matters:
        Only the default is ever tested. Whoever switches to 'sum' to accumulate gradients, or to 'none' to weight the
        samples, then trains with something else than they think; a misspelt reduction returns what falls through.

    Wrong:
        def forward(self, prediction, target):
            loss = ((prediction - target) ** 2).mean(-1)
            return loss.sum() if self.reduction == "sum" else loss.mean()  # 'none' is averaged

    Right:
        def forward(self, prediction, target):
            loss = ((prediction - target) ** 2).mean(-1)
            return {"none": loss, "mean": loss.mean(), "sum": loss.sum()}[self.reduction]

    When to ignore:
        When a reduction is meant in another way: a 'mean' that divides by the batch size alone, a root of the mean.
    """
    variants = _variants(subject)
    if variants is None:
        raise Skip("it takes no argument 'reduction' or 'size_average'")
    probes = {name: probe for name, make in variants.items() if (probe := _working(make)) is not None}
    if "mean" not in probes and "sum" not in probes:
        raise Skip("its argument 'reduction' takes neither 'mean' nor 'sum', so it says something else")
    if UNKNOWN in probes and "batchmean" in probes:  # it takes anything, so it need not know that one
        del probes["batchmean"]
    findings = list(_findings(probes))
    yield from findings
    if UNKNOWN in probes:
        yield _unknown(probes)
    if not findings:
        known = [name for name in probes if name != UNKNOWN]
        if len(known) < 2:
            raise Inconclusive(f"it takes no reduction but {known[0]!r}, so there is nothing to compare it with")
        yield Verified(f"values and gradients under the reductions {', '.join(known)}", DRAWS)


def _variants(subject: Subject) -> dict[str, Any] | None:
    """How to make a probe for each reduction, by its name."""
    loss = loss_of(subject)
    if loss is None:
        reals = [entry.name for entry in subject.spec.inputs if entry.dtype == "float"]
        if not reals:
            return None
        loss = Loss(reals[0], reals[0], False)
    names = ("none", "mean", "sum", "batchmean", UNKNOWN)
    constructor, forward = parameters_of(subject), forward_parameters(subject)

    def by_constructor(**init: Any) -> Probe:
        return probe_of(with_arguments(subject, **init), loss)

    if "reduction" in constructor:
        return {name: lambda name=name: by_constructor(reduction=name) for name in names}
    if "reduction" in forward:
        return {name: lambda name=name: probe_of(subject, loss, reduction=name) for name in names}
    if "size_average" in constructor:
        return {name: lambda on=on: by_constructor(size_average=on) for name, on in (("mean", True), ("sum", False))}
    return None


def _working(make: Any) -> Probe | None:
    """Return the probe, ``None`` where the loss refuses this reduction when it is built or called."""
    try:
        probe: Probe = make()
        output = probe.output(probe.draw())
    except Exception:
        return None
    return probe if output.is_floating_point() else None


def _findings(probes: Mapping[str, Probe]) -> Iterator[Finding]:
    first = probes.get("mean") or probes["sum"]
    values = first.draw()
    outputs = {name: probe.output(values).detach() for name, probe in probes.items()}
    for name in ("mean", "sum"):
        if name in outputs and outputs[name].numel() != 1:
            shape = list(outputs[name].shape)
            message = f"reduction={name!r} leaves shape {shape}: it reduces nothing, or not all"
            yield Finding(message, "error", {"shape": shape})
            return
    if "none" in outputs and outputs["none"].ndim == 0 and _has_samples(values, first.loss):
        same = [n for n in ("mean", "sum") if n in outputs and torch.equal(outputs[n], outputs["none"])]
        like = f", the same as {' and '.join(map(repr, same))}" if same else ""
        yield Finding(
            f"reduction='none' gives one number{like}: there is no loss for each sample",
            "error" if len(same) == 1 else "warning",  # a loss of the batch as a whole has nothing to reduce
            {name: output.item() for name, output in outputs.items()},
        )
        return
    if "none" in probes and "sum" in probes:
        wrong = _compare(probes, values, "sum", "none", 1.0)
        if wrong is not None:
            yield wrong
            return
    whole = probes.get("none") or probes.get("sum")
    if "mean" in probes and whole is not None:
        yield from _judge_mean(probes, "none" if "none" in probes else "sum")
    if "batchmean" in probes and whole is not None:
        size = float(values[first.loss.prediction].shape[0])
        wrong = _compare(probes, values, "batchmean", "none" if "none" in probes else "sum", size)
        if wrong is not None:
            yield wrong


def _judge_mean(probes: Mapping[str, Probe], base: str) -> Iterator[Finding]:
    mean, whole = probes["mean"], probes[base]
    divisors = divisors_of(mean, whole)
    if divisors is None:
        raise Inconclusive("the loss of ordinary values is zero, or not finite, so that its reductions say nothing")
    values = divisors.values
    if base == "none" and is_one(divisors.all) and abs(divisors.all[0] - divisors.elements) <= SAME * divisors.elements:
        wrong = _compare(probes, values, "mean", base, float(divisors.elements))
    elif not is_one(divisors.predictions):
        why = "their ratio changes with the predictions, so it is no average"
        wrong = _disagreement(probes, values, base, why, "warning")
    elif not is_one(divisors.all):  # weighted by the targets, a weight or a mask
        wrong = _compare(probes, values, "mean", base, divisors.predictions[0])
    elif base == "sum" and counts_elements(divisors, values, mean.loss):
        wrong = _compare(probes, values, "mean", base, divisors.all[0])
    elif base == "sum" and abs(divisors.all[0] - 1) <= SAME:
        wrong = _disagreement(probes, values, base, "the argument makes no difference", "warning")
    elif abs(divisors.all[0] - divisors.batch) <= SAME * divisors.batch:
        wrong = _disagreement(probes, values, base, f"it divides by the batch size, {divisors.batch}, alone", "warning")
    else:
        why = f"it divides by {divisors.all[0]:.6g} at every draw, not by the {divisors.elements} elements"
        wrong = _disagreement(probes, values, base, why, "error")
    if wrong is not None:
        yield wrong


def _compare(probes: Mapping[str, Probe], values: Values, name: str, base: str, divisor: float) -> Finding | None:
    expected = probes[base].output(values).detach().sum() / divisor
    actual = probes[name].output(values).detach().reshape(())
    worst = agreement(probes[name], values, actual, expected)
    rule = f"the sum of {base!r}" if base == "none" else repr(base)
    by = "" if divisor == 1 else f" over {divisor:.6g}"
    if worst is not None and worst.excess > 1:
        evidence = {name: worst.actual, f"{rule}{by}": worst.expected, "tolerance": worst.tolerance}
        return Finding(
            f"reduction={name!r} gives {worst.actual:.6g} where {rule}{by} is {worst.expected:.6g}", "error", evidence
        )
    one, other = probes[name].gradient(values), probes[base].gradient(values)
    if one is None and other is None:
        return None
    if one is None or other is None:
        cut = name if one is None else base
        return Finding(f"reduction={cut!r} has no gradient, though {name if cut == base else base!r} has one", "error")
    worst = agreement(probes[name], values, one, other / divisor) if one.shape == other.shape else None
    # A gradient has no evaluation in single precision here: allow it the square root of what values agree to.
    if worst is not None and worst.error > 1e-8 * float(other.abs().max() / divisor + 1e-300):
        facts: dict[str, Any] = {"element": list(worst.index), name: worst.actual, f"{rule}{by}": worst.expected}
        return Finding(
            f"reduction={name!r} has the value of {rule}{by}, but another gradient: "
            f"{worst.actual:.6g} for {worst.expected:.6g} at {list(worst.index)}",
            "error",
            facts,
        )
    return None


def _disagreement(probes: Mapping[str, Probe], values: Values, base: str, why: str, severity: Severity) -> Finding:
    mean, whole = float(probes["mean"].output(values)), probes[base].output(values).detach()
    expected = whole.mean() if base == "none" else whole
    evidence = {"mean": mean, f"average of {base!r}" if base == "none" else base: float(expected)}
    said = "the average of 'none'" if base == "none" else "'sum'"
    return Finding(f"reduction='mean' gives {mean:.6g}, {said} is {float(expected):.6g}: {why}", severity, evidence)


def _unknown(probes: Mapping[str, Probe]) -> Finding:
    values = probes[UNKNOWN].draw()
    given = probes[UNKNOWN].output(values).detach()
    known = [name for name in ("mean", "sum", "none") if name in probes]
    like = next((name for name in known if _equal(probes[name].output(values), given)), None)
    acts = f" and acts as {like!r}" if like else ""
    # A loss for each sample cannot be differentiated as it is: the next line of the training loop will say so.
    severity: Severity = "note" if given.numel() != 1 else "warning"
    return Finding(
        f"reduction={UNKNOWN!r}, which is none, is accepted{acts}: a misspelt reduction goes unnoticed",
        severity,
        {"reduction": UNKNOWN, "acts as": like or "?", "shape": list(given.shape)},
    )


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.detach(), other)


def _has_samples(values: Values, loss: Loss) -> bool:
    shape = values[loss.prediction].shape
    return len(shape) > 0 and shape[0] > 1
