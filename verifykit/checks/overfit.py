"""overfit: a small batch can be fitted, and every trainable parameter takes part in it."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.observation import Loss, batch_of, loss_of, outputs_of
from verifykit.experiments.training import (
    DISTANCE,
    RATES,
    Run,
    fit,
    has_gradient_elsewhere,
    jumps_with,
    minimise,
    teacher_outputs,
    trains_at_times,
)
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.domain import Real
from verifykit.spec.subject import Subject

BATCH = 16
# A run that ends above this share of the first loss has not learnt; one that ends above the other has learnt little.
STUCK, SLOW = 0.99, 0.9
SEEDS = 3
# Inputs so much larger than usual wake units that are merely saturated.
FAR = 100.0


@check("overfit", family="trainability", requires=("gradient", "graph-cut", "state-leak", "loss-target-gradient"))
def overfit(subject: Subject) -> Iterator[Finding | Verified]:
    """Training on one small batch lowers the loss, gives no NaN, and moves every parameter.

    What:
        A layer is trained with Adam in double precision and training mode to give what the same layer with other
        weights gives, which it can. A loss is minimised over its prediction, kept inside its domain. Where the loss
        does not fall, a second, smaller learning rate decides. A parameter whose gradient is 0 in all steps is looked
        at under other seeds and at random weights: it may be dead from its initialisation on, or steer the output only
        through a choice that passes no gradient.

    Why it matters:
        Each gradient can be right and the layer learn nothing: weights that start where no gradient reaches them, that
        are made anew in every call, or that a choice by argmax hides.

    Wrong:
        def __init__(self):
            self.down = nn.Parameter(torch.zeros(4, 64))
            self.up = nn.Parameter(torch.zeros(64, 4))  # the product of two zeros has no gradient

    Right:
        def __init__(self):
            self.down = nn.Parameter(torch.randn(4, 64) / 8)
            self.up = nn.Parameter(torch.zeros(64, 4))

    When to ignore:
        When parameters are set by something else than a gradient: a codebook, a moving average.
    """
    loss = loss_of(subject)
    if loss is not None:
        yield from _loss(subject, loss)
        return
    if not any(p.requires_grad for p in subject.build().parameters()):
        raise Skip("it has no parameters to train, and is no loss")
    yield from _layer(subject)


def _layer(subject: Subject) -> Iterator[Finding | Verified]:
    inputs = _inputs(subject)
    first, steady = _outputs(subject, inputs)
    if not steady:
        broken = _broken(fit(subject, inputs, first, RATES[0], steps=3))
        if broken is None:
            raise Inconclusive("in training mode its outputs change from call to call, so there is no fixed target")
        yield broken
        return
    targets = _targets(subject, inputs)
    run = fit(subject, inputs, targets, RATES[0])
    if run.has_graph and run.losses and run.losses[0] == 0.0:
        raise Inconclusive("its outputs do not change with its parameters, so there is nothing to learn")
    broken = _broken(run)
    if not run.has_graph and trains_at_times(subject):
        raise Inconclusive("its outputs carry a gradient at times only")
    if broken is not None:
        yield broken
        return
    if not run.is_finite or run.fell_to > SLOW:
        yield from _no_progress(run, fit(subject, inputs, targets, RATES[1]))
    yield from _motionless(subject, inputs, run.without_gradient)
    moved = len(run.gradients) - len(run.without_gradient)
    told = f"the loss falls to {run.fell_to:.2g} of its first value, {moved} of {len(run.gradients)} parameters move"
    yield Verified(told, len(run.losses))


def _inputs(subject: Subject) -> tuple[Tensor, ...]:
    batch = batch_of(subject)
    sizes = {} if batch is None else {batch.symbol: max(BATCH, subject.spec.usual_sizes[batch.symbol])}
    inputs = subject.draw(sizes)
    try:
        outputs_of(subject, subject.build(training=True), inputs)
    except Exception:  # not a size for this module
        return subject.draw()
    return inputs


def _outputs(subject: Subject, inputs: tuple[Tensor, ...]) -> tuple[list[Tensor], bool]:
    """Return the floating-point outputs in training mode, and whether a second call gives the same."""
    module = subject.build(training=True)
    try:
        first, second = (list(outputs_of(subject, module, inputs).values()) for _ in range(2))
    except Exception as error:
        raise Skip(f"it cannot be called in training mode: {one_line(error)}") from None
    floats = [t for t in first if t.is_floating_point() or t.is_complex()]
    if not floats:
        raise Skip("it returns no floating-point numbers")
    pairs = zip(first, second, strict=True) if len(first) == len(second) else ()
    same = [a.shape == b.shape and torch.allclose(a, b, equal_nan=True) for a, b in pairs]
    return floats, bool(same) and all(same)


def _targets(subject: Subject, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    for distance in (DISTANCE, DISTANCE / 10):
        found = teacher_outputs(subject, inputs, distance)
        if found is not None:
            return found
    raise Inconclusive("moved parameters give outputs that are not finite, so there is no target to learn")


def _broken(run: Run) -> Finding | None:
    """What ends training at once: no graph, or a step that raises."""
    if run.error is not None and len(run.losses) > 1:
        told = one_line(run.error).partition(". ")[0]
        message = f"training step {len(run.losses)} raises, after the first did not: {told}"
        if "second time" in told:
            message += ": the module keeps something of the first call with its graph"
        return Finding(message, "error", {"step": len(run.losses)}, raised_location(run.error))
    if run.error is not None:
        raise Skip(f"it cannot be trained at all: {one_line(run.error)}")
    if run.replaced:
        message = f"a call replaces {_listed(run.replaced)} by another Parameter, which no optimiser knows of"
        return Finding(message, "error", {"parameters": run.replaced})
    if not run.has_graph:
        return Finding("the outputs carry no gradient, so nothing can be trained with or through it", "error")
    return None


def _no_progress(run: Run, slower: Run) -> Iterator[Finding]:
    if run.without_gradient and len(run.without_gradient) == len(run.gradients):
        return  # no parameter has a gradient: said of each
    finite = [each for each in (run, slower) if each.is_finite and each.error is None]
    if not finite:
        at = len(slower.losses)
        yield Finding(
            f"training ends in a loss that is not finite, at step {len(run.losses)} with a learning rate of "
            f"{RATES[0]:g} and at step {at} with {RATES[1]:g}",
            "error",
            {"first loss": run.losses[0], "steps": [len(run.losses), at]},
        )
        return
    best = min(each.fell_to for each in finite)
    if best > STUCK:
        yield Finding(
            f"training lowers the loss to {best:.3g} of its first value only, although the target is what the same "
            "module gives with other weights: steps do not take effect, or lead astray",
            "error",
            {"first loss": run.losses[0], "least loss": best * run.losses[0], "steps": len(run.losses)},
        )
    elif best > SLOW:
        raise Inconclusive(f"training lowers the loss to {best:.2g} of its first value: too little to tell")


def _motionless(subject: Subject, inputs: tuple[Tensor, ...], names: list[str]) -> Iterator[Finding]:
    """Say of parameters without a gradient whether their initialisation or a choice on the way is to blame."""
    if not names:
        return
    try:
        revived = has_gradient_elsewhere(subject, inputs, names)
    except Exception:
        return
    dead = [name for name in names if name in revived]
    for seed in range(1, SEEDS):
        if dead:
            dead = _still_dead(replace(subject, seed=subject.seed + seed, _shared={}), dead)
    trainable = [name for name, p in subject.build().named_parameters() if p.requires_grad]
    if dead:
        everything = len(dead) == len(trainable) and dead == _still_dead(subject, dead, FAR)
        yield Finding(
            f"the gradient of {_listed(dead)} is 0 from the initialisation on, under {SEEDS} seeds, and is not at "
            f"random weights: {'nothing can be learnt from' if everything else 'they cannot leave'} where they start",
            "error" if everything else "warning",  # other inputs may wake it
            {"parameters": dead},
        )
    hidden = [name for name in names if name not in revived and jumps_with(subject, inputs, name)]
    if hidden:
        yield Finding(
            f"no gradient ever arrives at {_listed(hidden)}, although the output depends on it, in jumps: the way "
            "leads through a choice, such as argmax, a comparison or rounding",
            "warning",
            {"parameters": hidden},
        )


def _still_dead(subject: Subject, names: list[str], scale: float = 1.0) -> list[str]:
    try:
        inputs = tuple(
            value * scale if isinstance(entry.domain, Real) else value
            for entry, value in zip(subject.spec.inputs, _inputs(subject), strict=True)
        )
        run = fit(subject, inputs, _targets(subject, inputs), RATES[0], steps=10)
    except (Skip, Inconclusive):
        return []
    return [name for name in names if name in run.without_gradient]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _loss(subject: Subject, loss: Loss) -> Iterator[Finding | Verified]:
    run = minimise(subject, RATES[0])
    broken = _broken(run)
    if broken is not None:
        yield broken if loss.named else msgspec.structs.replace(broken, severity="warning")
    elif not run.is_finite:
        yield from _no_progress(run, minimise(subject, RATES[1]))
    elif loss.prediction in run.without_gradient:
        yield from _flat(subject, loss)
    elif not _falls(run) and not _falls(minimise(subject, RATES[1])):
        raise Inconclusive("the loss did not fall from where it started: it may be at its minimum")
    yield Verified(f"the loss falls as {loss.prediction} follows its gradient", len(run.losses))


def _falls(run: Run) -> bool:
    return run.error is None and min(run.losses) < run.losses[0] - 1e-9 * abs(run.losses[0])


def _flat(subject: Subject, loss: Loss) -> Iterator[Finding]:
    """A loss without slope at the first prediction: satisfied there, or a count that has none anywhere."""
    runs = [minimise(subject, RATES[0], seed=seed, steps=2) for seed in range(1, SEEDS + 1)]
    values = {run.losses[0] for run in runs if run.losses}
    if len(values) < 2 or any(loss.prediction not in run.without_gradient for run in runs):
        raise Inconclusive(f"the gradient of {loss.prediction} is 0 where it started: the loss may be at its minimum")
    yield Finding(
        f"the gradient of {loss.prediction} is 0 for each of {SEEDS + 1} random predictions, although the loss is not "
        "the same for all: it counts, and cannot be minimised by its gradient",
        "error" if loss.named else "warning",
        {"losses": sorted(values)},
    )
