"""Weights of classes that a loss takes when it is built: whether they act, and on what."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from verifykit.experiments.losses.aims import aim_of, class_axis, reads_rows_alone
from verifykit.experiments.losses.probe import Probe, Values, agreement, parameters_of, probe_of, with_arguments
from verifykit.experiments.observation import Loss, batch_of
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.subject import Subject

NAMES = r"(class_?|cls_?|ce_?)?weights?|pos_?weights?"


@dataclass(frozen=True)
class _Weighted:
    """The loss as it is without weights, and a way to make it with some."""

    name: str
    plain: Probe
    make: Callable[[Tensor], Probe]
    count: int


def judge_weights(subject: Subject, loss: Loss) -> Iterator[Finding | Verified]:
    """Yield a verdict on each constructor argument that is a weight for each class, or one for positive targets."""
    for name, parameter in parameters_of(subject).items():
        if not re.fullmatch(NAMES, name, re.IGNORECASE) or not _takes_tensor(parameter) or name in subject.input_names:
            continue
        positive = name.lower().startswith("pos")
        if aim_of(subject, loss) != ("binary" if positive else "classes"):
            continue
        weighted = _weighted(subject, loss, name, positive)
        if weighted is None:
            continue
        finding = _judge_positive(weighted) if positive else _judge_classes(weighted)
        yield finding or Verified(f"{name}: ones change nothing, and each acts in its place", 3)


def _takes_tensor(parameter: inspect.Parameter) -> bool:
    """By its default, ``None``, or by its annotation."""
    return parameter.default is None or "Tensor" in str(parameter.annotation)


def _weighted(subject: Subject, loss: Loss, name: str, positive: bool) -> _Weighted | None:
    is_given = subject.spec.init.get(name) is not None
    try:
        plain = probe_of(with_arguments(subject, **{name: None}) if is_given else subject, loss)
        values = plain.draw()
        plain.output(values)
    except Exception:  # it needs weights
        return None
    prediction = values[loss.prediction]
    axis = class_axis(subject, loss)
    count = prediction.shape[axis] if axis is not None else prediction.shape[-1] if positive and prediction.ndim else 0

    def make(weights: Tensor) -> Probe:
        return probe_of(with_arguments(subject, **{name: weights}), loss)

    for size in (count, 1):
        try:
            make(torch.ones(size, dtype=torch.float64)).output(values)
        except Exception:
            continue
        return _Weighted(name, plain, make, size)
    return None


def _judge_classes(weighted: _Weighted) -> Finding | None:
    batch = batch_of(weighted.plain.subject)
    values = weighted.plain.draw({batch.symbol: 2 * weighted.count} if batch is not None else None)
    target = weighted.plain.loss.target
    count = weighted.count
    values = {**values, target: torch.arange(values[target].numel()).reshape(values[target].shape) % count}
    ones = torch.ones(count, dtype=torch.float64)
    finding = _ones_change_nothing(weighted, values, ones)
    if finding is not None:
        return finding
    doubled = ones.clone()
    doubled[0] = 2.0
    if _same(weighted, values, ones, doubled):
        return _no_influence(weighted, f"doubling {weighted.name}[0] leaves the loss as it is, though class 0 is there")
    if count == 1:
        return None
    others = {**values, target: 1 + torch.arange(values[target].numel()).reshape(values[target].shape) % (count - 1)}
    if _element_by_element(weighted.plain) and not _same(weighted, others, ones, doubled):
        before, after = (float(weighted.make(w).output(others).sum()) for w in (ones, doubled))
        return Finding(
            f"{weighted.name}[0] acts on samples of other classes: doubling it moves their loss from {before:.6g} "
            f"to {after:.6g}",
            "warning",
            {"loss": before, f"with {weighted.name}[0] doubled": after, "targets": "of all classes but 0"},
        )
    return None


def _element_by_element(plain: Probe) -> bool:
    """Whether each target has a loss of its own, and no part in that of the other classes, as smoothing gives it."""
    values = plain.draw()
    axis = class_axis(plain.subject, plain.loss)
    axes = [at for at in range(values[plain.loss.prediction].ndim) if at != axis]
    smooth = any("smooth" in name for name in parameters_of(plain.subject))
    return not smooth and all(reads_rows_alone(plain, values, at) for at in axes)


def _judge_positive(weighted: _Weighted) -> Finding | None:
    values = weighted.plain.draw()
    target = weighted.plain.loss.target
    ones = torch.ones(weighted.count, dtype=torch.float64)
    finding = _ones_change_nothing(weighted, values, ones)
    if finding is not None:
        return finding
    positive = {**values, target: torch.ones_like(values[target])}
    negative = {**values, target: torch.zeros_like(values[target])}
    if not _same(weighted, negative, ones, 2 * ones):
        what = "negative targets" if _same(weighted, positive, ones, 2 * ones) else "negative targets too"
        before, after = (float(weighted.make(w).output(negative).sum()) for w in (ones, 2 * ones))
        return Finding(
            f"{weighted.name} acts on {what}: doubling it moves their loss from {before:.6g} to {after:.6g}",
            "error",
            {"loss of negative targets": before, f"with {weighted.name} doubled": after},
        )
    if _same(weighted, positive, ones, 2 * ones):
        return _no_influence(weighted, f"doubling {weighted.name} leaves the loss of positive targets as it is")
    return None


def _ones_change_nothing(weighted: _Weighted, values: Values, ones: Tensor) -> Finding | None:
    without = weighted.plain.output(values).detach()
    given = weighted.make(ones).output(values).detach()
    if given.shape != without.shape:
        return None
    worst = agreement(weighted.plain, values, given, without)
    if worst is None or worst.excess <= 1:
        return None
    evidence = {"with ones": worst.actual, "without weights": worst.expected, "tolerance": worst.tolerance}
    severity: Severity = "warning"  # it may be that weights are normalised
    return Finding(
        f"{weighted.name} of ones changes the loss: {worst.actual:.6g} where it is {worst.expected:.6g} without",
        severity,
        evidence,
    )


def _same(weighted: _Weighted, values: Mapping[str, Tensor], one: Tensor, other: Tensor) -> bool:
    before, after = (weighted.make(weights).output(values).detach() for weights in (one, other))
    worst = agreement(weighted.plain, values, after, before)
    return worst is None or worst.excess <= 1


def _no_influence(weighted: _Weighted, message: str) -> Finding:
    evidence: dict[str, Any] = {"argument": weighted.name}
    return Finding(message, "error", evidence)
