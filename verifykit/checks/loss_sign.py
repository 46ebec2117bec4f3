"""loss-sign: a loss falls along its own gradient, and for a better prediction."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.losses.aims import ideals, opposite
from verifykit.experiments.losses.probe import NO_LOSS, Probe, Values, probe_of
from verifykit.experiments.observation import batch_of, loss_of
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject

DRAWS = 8
# Samples in a batch: enough for an average to say what single samples may not.
SAMPLES = 16
# A difference of averages counts where it is so many times its standard error.
SURE = 3.0
STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@check("loss-sign", family="losses", severity="warning", requires=("determinism", "gradient"))
def loss_sign(subject: Subject) -> Iterator[Finding | Verified]:
    """A loss falls along its negative gradient, and is lower for a better prediction.

    What:
        Takes small steps against the gradient, which must lower the loss. Where the target says what the prediction
        should be, moves predictions from random ones to that, as values, logits or log-values: under one reading at
        least the loss must fall. A loss that rises toward the target under every reading, and falls away from it, is
        reported with the figures.

    Why it matters:
        A similarity, a likelihood or a score returned as it is, without a minus, is maximised wrongly: training runs,
        the number falls, and the model gets worse.

    Wrong:
        def forward(self, prediction, target):
            return F.cosine_similarity(prediction, target).mean()

    Right:
        def forward(self, prediction, target):
            return 1 - F.cosine_similarity(prediction, target).mean()

    When to ignore:
        When the target is to be avoided, as in a repulsion or an adversarial loss.
    """
    loss = loss_of(subject)
    if loss is None:
        raise Skip(NO_LOSS)
    probe = probe_of(subject, loss)
    draws = _draws(probe)
    if not all(bool(probe.output(values).isfinite().all()) for values in draws):
        raise Inconclusive("the loss of ordinary values is not finite")
    stepped = _step(probe, draws[0])
    if stepped is not None:
        yield stepped
    if isinstance(stepped, Finding):
        return
    readings = _readings(probe, draws) if loss.named and loss.aimed else {}
    if not readings:
        if stepped is None:
            raise Skip("it has no gradient, and nothing says what a better prediction is")
        return
    better = {reading for reading, figures in readings.items() if figures[1] < figures[0]}
    if better:
        yield Verified(f"the loss is lower at {' or '.join(sorted(better))} than at random predictions", DRAWS)
        return
    reading = max(readings, key=lambda name: readings[name][1] - readings[name][0])
    random, ideal, away = readings[reading]
    if not (ideal > random > away):
        raise Inconclusive(
            f"it is {random:.6g} at random predictions and {ideal:.6g} at {reading}, and no lower beyond"
        )
    yield Finding(
        f"the loss rises toward the target: {random:.6g} at random predictions, {ideal:.6g} at {reading}, "
        f"{away:.6g} as far the other way",
        "warning",
        {"at random predictions": random, f"at {reading}": ideal, "as far the other way": away, "draws": DRAWS},
    )


def _step(probe: Probe, values: Values) -> Finding | Verified | None:
    """Take steps against the gradient; ``None`` where there is none to follow."""
    name = probe.loss.prediction
    try:
        gradient = probe.gradient(values)
    except Exception:  # it cannot be differentiated, which other checks say
        return None
    if gradient is None or not bool(gradient.isfinite().all()) or not float(gradient.norm()) > 0:
        return None

    def total(prediction: Tensor) -> float:
        with torch.no_grad():
            return float(probe.output({**values, name: prediction}).sum())

    before, slope = total(values[name]), float(gradient.norm())
    found = {}
    for step in STEPS:
        after = total(values[name] - step * gradient / slope)
        if after < before:
            return Verified(f"a step of {step:g} against the gradient lowers the loss", 1)
        found[step] = after
    # The loss must rise by as much as its slope promises that it falls; less may be a kink, or a plateau.
    step = STEPS[2]
    if found[step] - before < 0.5 * step * slope:
        return None
    return Finding(
        f"a step of {step:g} against the gradient of {name} raises the loss from {before:.9g} to {found[step]:.9g}: "
        "the gradient points the wrong way",
        "error",
        {"loss": before, **{f"after a step of {size:g}": after for size, after in found.items()}},
    )


def _readings(probe: Probe, draws: list[Values]) -> dict[str, tuple[float, float, float]]:
    """The loss at random predictions, at the ideal and as far away on the other side, by what the ideal is taken to be:
    the average over all draws, where each is finite.
    """
    name = probe.loss.prediction
    found: dict[str, list[tuple[float, float, float]]] = {}
    for values in draws:
        for reading, ideal in ideals(probe.subject, probe.loss, values).items():
            others = (values[name], ideal, opposite(probe.subject, probe.loss, values, ideal))
            try:
                figures = [probe.mean({**values, name: prediction}) for prediction in others]
            except Exception:
                continue
            found.setdefault(reading, []).append((figures[0], figures[1], figures[2]))
    averages = {reading: torch.tensor(rows, dtype=torch.float64) for reading, rows in found.items()}
    return {
        reading: (float(rows[:, 0].mean()), float(rows[:, 1].mean()), float(rows[:, 2].mean()))
        for reading, rows in averages.items()
        if bool(rows[:, :2].isfinite().all()) and _is_clear(rows[:, 1] - rows[:, 0])
    }


def _is_clear(differences: Tensor) -> bool:
    """Whether the draws agree on the sign of their average."""
    error = float(differences.std()) / math.sqrt(len(differences))
    return abs(float(differences.mean())) > SURE * error


def _draws(probe: Probe) -> list[Values]:
    """Inputs of a batch that is large enough, or of the usual one where another size is refused."""
    batch = batch_of(probe.subject)
    large = [probe.draw({batch.symbol: SAMPLES} if batch is not None else None, seed=seed) for seed in range(DRAWS)]
    try:
        probe.output(large[0])
    except Exception:
        return [probe.draw(seed=seed) for seed in range(DRAWS)]
    return large
