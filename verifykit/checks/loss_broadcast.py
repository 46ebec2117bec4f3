"""loss-broadcast: prediction and target of different shapes are refused, or at least warned of."""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import Difference
from verifykit.experiments.losses.aims import reads_rows_alone
from verifykit.experiments.losses.probe import NO_LOSS, Probe, Values, agreement, entry_of, is_declared, probe_of
from verifykit.experiments.observation import is_auxiliary, loss_of
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.dims import Dim
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

# What people call a number of steps or pixels, which is hardly ever one.
PLACES = r"L|T|S|H|W|seq.*|time.*|.*len(gth)?|height|width|steps?"


@dataclass(frozen=True)
class _Slip:
    """Inputs that belong together, ``right``, and the same numbers with a dimension of one too many or too few."""

    right: Values
    wrong: Values
    certain: bool = True


@check("loss-broadcast", family="losses", requires=("determinism",))
def loss_broadcast(subject: Subject) -> Iterator[Finding | Verified]:
    """A loss refuses, or warns of, a target whose shape is not the prediction's: (N,) against (N, 1).

    What:
        Feeds a loss that compares prediction and target element by element the same numbers in shapes that differ by a
        dimension of one, (N, 1) against (N,) and the other way round, also with more dimensions behind. It must
        raise, warn, or give the loss of matching shapes.

    Why it matters:
        (N, 1) - (N,) is (N, N): every prediction is compared with every target, and training settles at their mean. The
        loss falls, nothing is said, and a head that ends in Linear(…, 1) makes it the usual case.

    Wrong:
        def forward(self, prediction, target):
            return ((prediction - target) ** 2).mean()

    Right:
        def forward(self, prediction, target):
            if prediction.shape != target.shape:
                raise ValueError(f"prediction {prediction.shape} against target {target.shape}")
            return ((prediction - target) ** 2).mean()

    When to ignore:
        When broadcasting is the purpose, as in a loss of all pairs, or the caller has made sure of the shapes.
    """
    loss = loss_of(subject)
    if loss is None:
        raise Skip(NO_LOSS)
    if is_auxiliary(loss.target) and not loss.aimed:
        raise Skip(f"it holds its prediction against no target: {loss.target} is of another kind")
    probe = probe_of(subject, loss)
    shape, target = (entry_of(subject, name).shape for name in (loss.prediction, loss.target))
    if shape != target:
        if _without_ones(shape) != _without_ones(target):
            raise Skip(f"its target has another shape than the prediction by design: {list(target)}, {list(shape)}")
        yield _as_specified(subject, probe)
        return
    slips = list(_slips(probe))
    if not slips:
        raise Skip("it takes no batch, or needs its dimension 1 whole, so that no prediction (N, 1) can be fed")
    tried = []
    for slip in slips:
        try:
            right = probe.output(slip.right).detach()
        except Exception:  # it does not take a dimension of one there
            continue
        if not bool(right.isfinite().all()) or _is_constant(probe, slip, right):
            continue
        tried.append(slip)
        finding = _judge(subject, probe, slip, right)
        if finding is not None:
            yield finding
            return
    if not tried:
        raise Skip("it takes no prediction with a dimension of size one")
    yield Verified("shapes that differ by a dimension of one are refused, or make no difference", len(tried))


def _is_constant(probe: Probe, slip: _Slip, right: Tensor) -> bool:
    """Whether the loss is the same for another prediction of this shape, as that of one class alone is."""
    name = probe.loss.prediction
    other = slip.right[name].flip(0) + 0.1 * slip.right[name].abs()
    try:
        return torch.equal(probe.output({**slip.right, name: other}).detach(), right)
    except Exception:  # out of its domain
        return False


def _as_specified(subject: Subject, probe: Probe) -> Finding | Verified:
    """Judge a loss whose spec has (N, 1) against (N,): each target must meet its own prediction alone."""
    values, loss = probe.draw(), probe.loss
    if _pairs(probe, values):
        return Verified("at the shapes of the spec, each target meets its own prediction alone", 1)
    matching = {**values, loss.target: values[loss.target].reshape(values[loss.prediction].shape)}
    finding = None
    if _pairs(probe, matching):
        finding = _judge(subject, probe, _Slip(matching, values), probe.output(matching).detach())
    if finding is None:
        raise Inconclusive("every target has a say in every prediction's gradient, in matching shapes too")
    return finding


def _slips(probe: Probe) -> Iterator[_Slip]:
    subject, loss = probe.subject, probe.loss
    shape, values = entry_of(subject, loss.prediction).shape, probe.draw()
    if not shape or values[loss.prediction].shape[0] < 2:
        return
    alike = [n for n, v in values.items() if v.ndim == len(shape) and v.shape[:2] == values[loss.prediction].shape[:2]]
    certain = True
    if len(shape) > 1:
        certain = _adds_up(probe, values, alike)
        if not certain and shape[1] != 1 and isinstance(shape[1], int):  # boxes, classes: one of them means nothing
            return
        columns = {**values, **{name: values[name].narrow(1, 0, 1) for name in alike}}
    else:
        columns = {**values, **{name: values[name].unsqueeze(1) for name in alike}}
    for name in (loss.target, loss.prediction):
        yield _Slip(columns, {**columns, name: columns[name].squeeze(1)}, certain)
    if len(shape) <= 2:
        rows = {**columns, **{name: columns[name].squeeze(1) for name in alike}}
        for name in (loss.target, loss.prediction):
            yield _Slip(rows, {**rows, name: columns[name]}, certain)


def _pairs(probe: Probe, values: Values) -> bool:
    """Whether the first target has a say in the first prediction's gradient alone."""
    try:
        return reads_rows_alone(probe, values, changing=probe.loss.target)
    except Exception:
        return False


def _adds_up(probe: Probe, values: Values, alike: list[str]) -> bool:
    """Whether the loss is the average, or the sum, of the losses of the slices along dimension 1: then one of them
    alone is a sensible input.
    """
    size = values[probe.loss.prediction].shape[1]
    try:
        whole = probe.output(values).sum()
        parts = [{**values, **{name: values[name].narrow(1, at, 1) for name in alike}} for at in range(size)]
        total = torch.stack([probe.output(part).sum() for part in parts]).sum()
    except Exception:
        return False
    return any(bool(torch.isclose(whole, total / count, rtol=1e-9, atol=1e-12)) for count in (1, size))


def _judge(subject: Subject, probe: Probe, slip: _Slip, right: Tensor) -> Finding | None:
    try:
        with torch.no_grad():
            said_before = _warned(probe, slip.right)
            said = _warned(probe, slip.wrong) - said_before
            wrong = probe.output(slip.wrong)
    except Exception:
        return None
    if said:
        return None
    if wrong.numel() == right.numel():
        worst = agreement(probe, slip.right, wrong.reshape(right.shape), right)
        if worst is None or worst.excess <= 1:
            return None
    else:
        worst = None
    return _finding(subject, probe, slip, wrong, right, worst)


def _warned(probe: Probe, values: Values) -> set[str]:
    copies = [values[name].clone() for name in probe.subject.input_names]
    with warnings.catch_warnings(record=True) as said, seeded(probe.subject.seed):
        warnings.simplefilter("always")
        probe.subject.call(probe.module, copies)
    return {str(warning.message)[:40] for warning in said}


def _finding(
    subject: Subject, probe: Probe, slip: _Slip, wrong: Tensor, right: Tensor, worst: Difference | None
) -> Finding:
    loss = probe.loss
    shapes = {name: tuple(slip.wrong[name].shape) for name in (loss.prediction, loss.target)}
    location, met = _where_broadcast(probe, slip.wrong)
    given = f"{loss.prediction} {shapes[loss.prediction]} against {loss.target} {shapes[loss.target]}"
    if worst is None:
        result = f"the loss has shape {tuple(wrong.shape)} where matching shapes give {tuple(right.shape)}"
    else:
        result = f"the loss is {worst.actual:.6g} where matching shapes give {worst.expected:.6g}"
    evidence = {
        f"shape of {loss.prediction}": list(shapes[loss.prediction]),
        f"shape of {loss.target}": list(shapes[loss.target]),
        **({"broadcast to": list(met)} if met else {}),
        "loss": worst.actual if worst else list(wrong.shape),
        "loss for matching shapes": worst.expected if worst else list(right.shape),
        **({"tolerance": worst.tolerance} if worst else {}),
    }
    middle = f" and broadcast to {met}" if met else ""
    return Finding(
        f"{given} is accepted without a word{middle}: {result}",
        _severity(subject, loss.prediction, slip),
        evidence,
        location,
    )


def _severity(subject: Subject, name: str, slip: _Slip) -> Severity:
    """An error where predictions such as (N, 1) belong to the user's spec: a target (N,) is then a matter of time. A
    warning where it has none, or is guessed, or dimension 1 is a length, or the loss mixes its slices, or is torch's.
    """
    obj = subject.target.obj
    made = obj if hasattr(obj, "__module__") and isinstance(obj, type) else type(obj)
    is_torchs = str(getattr(made, "__module__", "")).partition(".")[0] == "torch"
    shape = entry_of(subject, name).shape
    free = len(shape) > 1 and isinstance(shape[1], str) and not re.fullmatch(PLACES, shape[1], re.IGNORECASE)
    has_ones = (free or shape[1:2] == (1,)) and is_declared(subject, name)
    return "error" if slip.certain and has_ones and not is_torchs else "warning"


def _where_broadcast(probe: Probe, values: Mapping[str, Tensor]) -> tuple[Location | None, tuple[int, ...]]:
    """The first operation whose output has more elements than any of its inputs that are not scalars."""
    copies = [values[name].clone() for name in probe.subject.input_names]
    with seeded(probe.subject.seed):
        steps = trace(lambda: probe.subject.call(probe.module, copies))
    for step in steps:
        sizes = [t.numel() for t in step.inputs if t.ndim]
        for output in step.outputs:
            if len(sizes) > 1 and output.numel() > max(sizes):
                return step.location, tuple(output.shape)
    return None, ()


def _without_ones(shape: tuple[Dim, ...]) -> list[Dim]:
    return [dim for dim in shape if dim != 1]
