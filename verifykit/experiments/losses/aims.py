"""What a better prediction would be, as the target tells it, and which predictions a target has a say in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from verifykit.experiments.losses.probe import Probe, Values, entry_of
from verifykit.experiments.observation import Loss
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Simplex
from verifykit.spec.model import InputSpec
from verifykit.spec.subject import Subject

# How a target says what the prediction should be: it is that; or as integers, the index of a class of the prediction;
# or as 0 and 1 or probabilities between; or as a distribution over the last dimension; or in none of these ways.
Aim = Literal["same", "classes", "binary", "distribution", "unknown"]


def aim_of(subject: Subject, loss: Loss) -> Aim:
    """Return how the target says what the prediction should be."""
    prediction, target = entry_of(subject, loss.prediction), entry_of(subject, loss.target)
    known = {**subject.spec.bound, **subject.spec.usual_sizes}
    shapes = subject.spec.shape(prediction, known), subject.spec.shape(target, known)
    if isinstance(target.domain, Below) and target.dtype == "long":
        axis = class_axis(subject, loss)
        if axis is not None:
            return "classes"
    if shapes[0] != shapes[1]:
        return "unknown"
    if isinstance(target.domain, Simplex):
        return "distribution"
    if _is_binary(target):
        return "binary"
    return "same" if target.dtype == "float" and not isinstance(target.domain, OneOf) else "unknown"


def class_axis(subject: Subject, loss: Loss) -> int | None:
    """Return the dimension of the prediction that counts the classes which the target's integers name: the target's
    shape is the prediction's without it.
    """
    known = {**subject.spec.bound, **subject.spec.usual_sizes}
    prediction, target = entry_of(subject, loss.prediction), entry_of(subject, loss.target)
    if not isinstance(target.domain, Below):
        return None
    shape, labels = subject.spec.shape(prediction, known), subject.spec.shape(target, known)
    bound = subject.spec.shape(replace(target, shape=(target.domain.bound,)), known)[0]
    axes = [axis for axis in (1, len(shape) - 1) if 0 < axis < len(shape)]
    return next((axis for axis in axes if (*shape[:axis], *shape[axis + 1 :]) == labels and shape[axis] == bound), None)


def ideals(subject: Subject, loss: Loss, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return predictions that a target may call for, by what is assumed of them: values, log-values, logits. None
    where the target does not say.
    """
    prediction, target = values[loss.prediction], values[loss.target]
    aim = aim_of(subject, loss)
    bounded = isinstance(entry_of(subject, loss.prediction).domain, Interval | Simplex)
    if aim == "classes":
        axis = class_axis(subject, loss)
        assert axis is not None
        hot = torch.nn.functional.one_hot(target, prediction.shape[axis]).movedim(-1, axis).to(prediction)
        if bounded:
            return {"probability 0.98 for the class": 0.98 * hot + 0.02 / prediction.shape[axis] * (1 - hot)}
        return {"logit 6 for the class": 6.0 * hot}
    if aim == "unknown":
        return {}
    real = target.to(prediction)
    if bounded:
        return {"the target": _inside(entry_of(subject, loss.prediction), real)}
    found = {"the target": real}
    if aim == "binary":
        found["logits of the target"] = torch.logit(real.clamp(0.0025, 0.9975))
    elif aim == "distribution" or bool((real > 0).all()):
        found["logarithms of the target"] = real.clamp_min(0.0025).log()
    if "log" in loss.prediction.lower() and len(found) > 1:  # its name says that it is no plain value
        del found["the target"]
    return found


def opposite(subject: Subject, loss: Loss, values: Mapping[str, Tensor], ideal: Tensor) -> Tensor:
    """Return a prediction that is as far from the drawn one as ``ideal``, on the other side, and in the domain."""
    domain = entry_of(subject, loss.prediction).domain
    if isinstance(domain, Interval) and abs(domain.low) < float("inf") and abs(domain.high) < float("inf"):
        return domain.low + domain.high - ideal
    if isinstance(domain, Simplex):
        return ideal.flip(-1)
    return 2 * values[loss.prediction] - ideal


def _is_binary(entry: InputSpec) -> bool:
    match entry.domain:
        case Boolean():
            return True
        case Below(bound):
            return bound == 2
        case Interval(low, high):
            return (low, high) == (0.0, 1.0)
        case OneOf(values):
            return values == (0.0, 1.0)
    return False


def _inside(entry: InputSpec, value: Tensor) -> Tensor:
    if isinstance(entry.domain, Interval):
        margin = 0.01 * min(entry.domain.high - entry.domain.low, 1.0)
        return value.clamp(entry.domain.low + margin, entry.domain.high - margin)
    return value.clamp_min(1e-3)


def reads_rows_alone(probe: Probe, values: Values, axis: int = 0, changing: str = "") -> bool:
    """Whether what the loss asks of one slice of the prediction along ``axis`` does not depend on the other slices of
    the input ``changing``, the prediction unless told otherwise: its gradient there stays when they change.
    """
    name = changing or probe.loss.prediction
    if values[name].ndim <= axis or values[name].shape[axis] < 2:
        return True
    before = probe.gradient(values)
    changed = values[name].clone()
    changed.select(axis, 0).copy_(probe.draw(seed=91)[name].reshape(changed.shape).select(axis, -1))
    after = probe.gradient({**values, name: changed})
    if before is None or after is None:
        return True
    count = values[name].shape[axis] - 1
    kept, moved = before.narrow(axis, 1, count), after.narrow(axis, 1, count)
    return torch.allclose(kept, moved, rtol=1e-9, atol=1e-12 * float(kept.abs().max() + 1))


def is_paired(probe: Probe, values: Values) -> bool:
    """Whether each target has a say in the gradient of its own prediction alone, along the dimension behind the batch
    too: shifted targets, as in language models, have not.
    """
    prediction, target = values[probe.loss.prediction], values[probe.loss.target]
    if target.ndim == 0 or prediction.ndim == 0 or not reads_rows_alone(probe, values, changing=probe.loss.target):
        return False
    if target.ndim == 1:
        return True
    axis = 2 if class_axis(probe.subject, probe.loss) == 1 else 1
    at = target.shape[1] // 2  # the first and the last may have no part in it
    other = target.roll(1, 0) if target.dtype != torch.long else (target + 1) % (target.max() + 1)
    changed = target.clone()
    changed.select(1, at).copy_(other.select(1, at))
    before, after = (probe.gradient({**values, probe.loss.target: one}) for one in (target, changed))
    if before is None or after is None or before.ndim <= axis:
        return False
    rest = [gradient.index_fill(axis, torch.tensor([at]), 0.0) for gradient in (before, after)]
    return torch.allclose(rest[0], rest[1], rtol=1e-9, atol=1e-12 * float(before.abs().max() + 1))
