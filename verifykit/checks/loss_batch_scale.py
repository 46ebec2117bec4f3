"""loss-batch-scale: repeating the batch leaves a mean as it is and doubles a sum."""

import math
from collections.abc import Iterator
from functools import partial

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.losses.aims import reads_rows_alone
from verifykit.experiments.losses.probe import (
    NO_LOSS,
    Probe,
    Values,
    agreement,
    batch_axes,
    one_number_loss,
    parameters_of,
    probe_of,
)
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.subject import Subject

TIMES = (1, 2, 3, 4)


@check("loss-batch-scale", family="losses", severity="warning", requires=("determinism",))
def loss_batch_scale(subject: Subject) -> Iterator[Finding | Verified]:
    """A loss of the batch repeated is the same, if it is a mean, or so many times as much, if it is a sum.

    What:
        Repeats every sample two, three and four times and looks how the loss follows. A mean stays, a sum grows in
        proportion. What does neither is read: a part that stays beside a part that grows, a root of a sum, a divisor
        such as N - 1. A loss that compares the samples of a batch with one another may follow in its own way.

    Why it matters:
        A loss that changes with the batch size changes the balance of its terms, and the best learning rate, with it:
        what was tuned at 32 is wrong at 256, and the smaller last batch of an epoch weighs wrongly.

    Wrong:
        def forward(self, prediction, target):
            return F.mse_loss(prediction, target) + 0.1 * prediction.abs().sum()

    Right:
        def forward(self, prediction, target):
            return F.mse_loss(prediction, target) + 0.1 * prediction.abs().mean()

    When to ignore:
        When the loss is of the batch as a whole, such as one with negatives from the batch.
    """
    loss = one_number_loss(subject)
    if loss is None:
        raise Skip(f"{NO_LOSS}, reduced to one number")
    axes = batch_axes(subject)
    if axes is None or loss.prediction not in axes:
        raise Skip(f"{loss.prediction} has no dimension that counts samples")
    probe = probe_of(subject, loss)
    values = probe.draw()
    batches = [_repeated(values, axes, times) for times in TIMES]
    try:
        losses = [probe.output(batch).detach() for batch in batches]
    except Exception as error:
        raise Inconclusive(f"it refuses a batch that is repeated: {error}") from None
    if not all(bool(value.isfinite()) for value in losses):
        raise Inconclusive(f"the loss of ordinary values is {float(losses[0])}")
    fits = partial(_fits, probe, batches, losses)
    first = float(losses[0])
    if fits([first] * len(TIMES)):
        yield Verified("the loss of the batch repeated is the same: a mean", len(TIMES))
        return
    if fits([first * times for times in TIMES]):
        claimed = _claims_mean(subject)
        if claimed:
            yield _finding(losses, f"grows in proportion to the batch, though {claimed} says that it is a mean")
            return
        yield Verified("the loss of the batch repeated grows in proportion: a sum", len(TIMES))
        return
    yield _read(probe, values, losses, fits, axes[loss.prediction])


def _read(probe: Probe, values: Values, losses: list[torch.Tensor], fits: partial[bool], axis: int) -> Finding:
    first, second = float(losses[0]), float(losses[1])
    growing = second - first
    if fits([first + growing * (times - 1) for times in TIMES]):
        kept = first - growing
        why = f"has a part that stays, {kept:.6g}, and a part that grows with the batch, {growing:.6g}"
        return _finding(losses, f"{why}: a mean and a sum are added")
    if fits([first * math.sqrt(times) for times in TIMES]):
        return _finding(losses, "grows with the root of the batch size: a norm of all samples is not averaged")
    if fits([first / times for times in TIMES]):
        return _finding(losses, "shrinks with the batch size: a mean is divided by it once more")
    if fits([first * times**2 for times in TIMES]):
        return _finding(losses, "grows with the square of the batch size: all pairs are added up")
    alone = axis == 0 and all(
        reads_rows_alone(probe, values, changing=name) for name in (probe.loss.prediction, probe.loss.target)
    )
    if alone:
        return _finding(losses, "follows the batch size neither as a mean nor as a sum, though samples stand alone")
    return _finding(losses, "depends on how often each sample is in the batch, as losses between samples do", "note")


def _finding(losses: list[torch.Tensor], why: str, severity: Severity = "warning") -> Finding:
    figures = ", ".join(f"{float(value):.6g}" for value in losses)
    evidence = {f"loss of the batch times {times}": float(value) for times, value in zip(TIMES, losses, strict=True)}
    return Finding(f"the loss {why}: {figures} for the batch once, twice, three and four times", severity, evidence)


def _repeated(values: Values, axes: dict[str, int], times: int) -> Values:
    return {name: torch.cat([v] * times, axes[name]) if name in axes else v for name, v in values.items()}


def _fits(probe: Probe, batches: list[Values], losses: list[torch.Tensor], law: list[float]) -> bool:
    for batch, value, wanted in zip(batches[1:], losses[1:], law[1:], strict=True):
        worst = agreement(probe, batch, torch.tensor(wanted, dtype=torch.float64), value)
        # The law is built on the first loss, whose own rounding it multiplies.
        if worst is not None and worst.error > 8 * worst.tolerance:
            return False
    return True


def _claims_mean(subject: Subject) -> str:
    """What says that the loss is a mean, if something does: its argument ``reduction``."""
    parameter = parameters_of(subject).get("reduction")
    given = subject.spec.init.get("reduction", parameter.default if parameter else None)
    return f"reduction={given!r}" if given == "mean" else ""
