"""loss-minimum: a loss is least, and finite, at the perfect prediction."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.losses.aims import aim_of, class_axis, is_paired, reads_rows_alone
from verifykit.experiments.losses.probe import NO_LOSS, Probe, Values, entry_of, is_declared, probe_of
from verifykit.experiments.observation import loss_of
from verifykit.results import Finding, Verified
from verifykit.spec.domain import Real
from verifykit.spec.subject import Subject

# Predictions this far from all targets, which are of order one, are of no minimum near them.
FAR = 1e3
ITERATIONS = 60
LOGIT = 6.0
# How far a fitted slope or offset may be from the numbers it is read as: the minimiser is found to about 1e-4.
NEAR = 1e-2
ROUNDING = 1e-9


@dataclass(frozen=True)
class _Minimum:
    """The predictions at which the loss is least, as a line through the targets: ``slope * target + offset``."""

    loss: float
    perfect: float
    slope: float
    offset: float
    spread: float
    runs_away: bool
    """Predictions far from all targets were reached, and the loss fell by more than it is at random ones."""


@check("loss-minimum", family="losses", severity="note", requires=("determinism", "loss-sign"))
def loss_minimum(subject: Subject) -> Iterator[Finding | Verified]:
    """A loss is least at the perfect prediction, and it and its gradient are finite there.

    What:
        Where prediction and target are of one kind, looks at prediction = target: loss and gradient must be finite, and
        a search from there must find nothing lower. Where it does, the minimum is read: predictions shrunk toward a
        constant are a regulariser's (a note); an offset, another slope, or no minimum at all is a warning. Where the
        target names a class, a sure prediction of it must be better than that of any other class.

    Why it matters:
        The model learns what the loss is least at. The root of a squared error has an infinite slope at zero, which
        turns the weights to NaN on the first sample that is fitted exactly.

    Wrong:
        def forward(self, prediction, target):
            return torch.sqrt(F.mse_loss(prediction, target))  # its gradient is NaN at a perfect fit

    Right:
        def forward(self, prediction, target):
            return torch.sqrt(F.mse_loss(prediction, target) + 1e-8)

    When to ignore:
        When predictions are meant to differ from their targets, as with a critic's score, or in other units.
    """
    loss = loss_of(subject)
    if loss is None:
        raise Skip(NO_LOSS)
    if not loss.named or not loss.aimed:
        raise Skip("nothing says that its second input is what the first should be")
    probe, aim = probe_of(subject, loss), aim_of(subject, loss)
    if aim == "classes":
        yield from _classes(probe)
    elif aim == "same" and all(isinstance(entry_of(subject, n).domain, Real) for n in (loss.prediction, loss.target)):
        yield from _reals(probe)
    else:
        raise Skip("what the perfect prediction is cannot be told from the target alone")


def _reals(probe: Probe) -> Iterator[Finding | Verified]:
    name, values = probe.loss.prediction, probe.draw()
    if not bool(probe.output(values).isfinite().all()):
        raise Inconclusive("the loss of ordinary values is not finite")
    perfect = {**values, name: values[probe.loss.target].clone()}
    value = probe.output(perfect).detach()
    if not bool(value.isfinite().all()):
        total = float(value.sum())
        yield Finding(f"the loss is {total} where {name} equals the target", "error", {"loss": total})
        return
    gradient = probe.gradient(perfect)
    if gradient is None:
        raise Skip("it has no gradient at the perfect prediction")
    if not bool(gradient.isfinite().all()):
        bad = int((~gradient.isfinite()).sum())
        yield Finding(
            f"the gradient of {name} is not finite where it equals the target: {bad} of {gradient.numel()} elements "
            "are NaN or infinite at a perfect fit",
            "error",
            {"loss": float(value.sum()), "gradient": float(gradient.flatten()[(~gradient.isfinite()).flatten()][0])},
        )
        return
    found = _minimise(probe, perfect)
    if found is None:
        yield Verified(f"the loss is least where {name} equals the target: no lower one was found nearby", ITERATIONS)
        return
    if found.runs_away and not is_declared(probe.subject, probe.loss.target):
        raise Skip("the range of its targets is not known, and the loss has no minimum for targets of any size")
    yield _displaced(probe, perfect, found)


def _minimise(probe: Probe, perfect: Values) -> _Minimum | None:
    """Descend from the perfect prediction, and from close by; ``None`` where nothing lower is found."""
    name, target = probe.loss.prediction, perfect[probe.loss.target]
    start = float(probe.output(perfect).detach().sum())
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(probe.subject.seed), dtype=torch.float64)
    reached = [_descend(probe, {**perfect, name: perfect[name] + scale * noise.to(target)}) for scale in (0.0, 0.01)]
    best, at = min(reached, key=lambda pair: pair[0])
    random = probe.draw(seed=1)[name].reshape(target.shape)
    scale = abs(float(probe.output({**perfect, name: random}).detach().sum()) - start)
    # Losses are differences of terms that are larger than they: below this the difference is taken for rounding.
    if start - best <= ROUNDING * (scale + abs(start) + abs(best)):
        return None
    x, y = target.flatten(), at.flatten()
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    offset = float(y.mean() - slope * x.mean())
    spread = float((y - slope * x - offset).abs().max())
    return _Minimum(best, start, slope, offset, spread, bool(y.abs().max() > FAR) and start - best > scale)


def _descend(probe: Probe, values: Values) -> tuple[float, Tensor]:
    """Steepest descent with the steps of Barzilai and Borwein (1988), doubled while that helps."""
    name = probe.loss.prediction
    at, step = values[name], 1.0

    def total(prediction: Tensor) -> float:
        with torch.no_grad():
            value = float(probe.output({**values, name: prediction}).sum())
        return value if value == value else float("inf")

    best, gradient = total(at), probe.gradient(values)
    for _ in range(ITERATIONS):
        if gradient is None or not bool(gradient.isfinite().all()) or float(gradient.abs().max()) < 1e-13:
            break
        while step > 1e-12 and total(at - step * gradient) >= best:
            step /= 4
        while total(at - 2 * step * gradient) < total(at - step * gradient) and float(at.abs().max()) <= FAR:
            step *= 2
            if step * float(gradient.abs().max()) > FAR:
                break
        moved = at - step * gradient
        value = total(moved)
        if not value < best:
            break
        after = probe.gradient({**values, name: moved})
        if after is None:
            return value, moved
        bend = float(((moved - at) * (after - gradient)).sum())
        step = float(((moved - at) ** 2).sum()) / bend if bend > 0 else 2 * step
        best, at, gradient = value, moved, after
        if float(at.abs().max()) > FAR:
            break
    return best, at


def _displaced(probe: Probe, perfect: Values, found: _Minimum) -> Finding:
    name, target = probe.loss.prediction, probe.loss.target
    evidence = {"loss where they are equal": found.perfect, "least loss found": found.loss}
    lower = f"the loss is {found.perfect:.6g} where {name} equals {target}"
    alone = reads_rows_alone(probe, perfect)
    if found.runs_away and alone:
        return Finding(f"{lower}, and falls without end from there: {found.loss:.6g} was reached", "warning", evidence)
    line = found.spread <= NEAR * (1 + abs(found.slope))
    if not alone or not line or found.runs_away:
        return Finding(f"{lower}, and {found.loss:.6g} elsewhere: it is not least at a perfect fit", "note", evidence)
    evidence |= {"slope": found.slope, "offset": found.offset}
    where = f"{found.slope:.4g} * {target}"
    if abs(found.offset) > NEAR:
        where += f" {'+' if found.offset > 0 else '-'} {abs(found.offset):.4g}"
    if -NEAR < found.slope < 1 - 1e-6 and not _fits_as_well(probe, perfect, found):
        why = ": something pulls predictions to a constant"
        return Finding(f"{lower}, and least, {found.loss:.6g}, at {name} = {where}{why}", "note", evidence)
    return Finding(f"{lower}, and least, {found.loss:.6g}, at {name} = {where}", "warning", evidence)


def _fits_as_well(probe: Probe, perfect: Values, found: _Minimum) -> bool:
    """Whether targets twice as large can be met as well: a regulariser's price would grow with them."""
    name, target = probe.loss.prediction, probe.loss.target
    larger = {**perfect, name: 2 * perfect[name], target: 2 * perfect[target]}
    other = _minimise(probe, larger)
    return other is not None and abs(other.loss - found.loss) <= NEAR * abs(other.perfect - found.loss) * NEAR


def _classes(probe: Probe) -> Iterator[Finding | Verified]:
    loss, values = probe.loss, probe.draw()
    axis = class_axis(probe.subject, loss)
    assert axis is not None
    if not isinstance(entry_of(probe.subject, loss.prediction).domain, Real):
        raise Skip("its predictions have a range of their own, in which no sure prediction is known")
    target = values[loss.target]
    count = values[loss.prediction].shape[axis]
    losses = [
        probe.mean({**values, loss.prediction: _sure(values[loss.prediction], (target + shift) % count, axis)})
        for shift in range(count)
    ]
    if not all(abs(value) < float("inf") for value in losses):
        raise Inconclusive(f"the loss of sure predictions is not finite: {losses}")
    best = min(range(count), key=losses.__getitem__)
    evidence = {"loss for the class of the target": losses[0], "least loss for another class": losses[best]}
    if best and losses[best] < losses[0] - 1e-6 * max(map(abs, losses)):
        if not is_paired(probe, values):
            raise Inconclusive("its targets do not meet their predictions one by one, as where they are shifted")
        yield Finding(
            f"the loss is lower for a sure prediction of class {loss.target} + {best} ({losses[best]:.6g}) than of "
            f"{loss.target} ({losses[0]:.6g})",
            "warning",
            evidence,
        )
        return
    if count > 1 and max(losses) - min(losses) <= 1e-9 * max(map(abs, losses)):
        raise Inconclusive("sure predictions of all classes have the same loss")
    yield Verified("a sure prediction of the right class has the least loss", count)


def _sure(prediction: Tensor, labels: Tensor, axis: int) -> Tensor:
    hot = torch.nn.functional.one_hot(labels, prediction.shape[axis]).movedim(-1, axis)
    return LOGIT * hot.to(prediction)
