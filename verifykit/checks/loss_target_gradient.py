"""loss-target-gradient: a loss has a gradient for its prediction; whether one flows into the target too."""

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.losses.aims import ideals
from verifykit.experiments.losses.probe import NO_LOSS, Probe, Values, batch_axes, entry_of, probe_of
from verifykit.experiments.observation import Loss, is_called_metric, loss_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

DRAWS = 8
# What is meant to teach, not to learn.
TEACHERS = r".*(teacher|momentum|\bema\b|ema_|_ema|old_|_old|frozen|stop_?grad).*"
# Operations that make steps of what they are given.
STEPS = (
    r"argmax|argmin|argsort|round|floor|ceil|trunc|sign|gt|lt|ge|le|eq|ne|bool|long|int|topk|heaviside|histc|bincount"
)


@check("loss-target-gradient", family="losses", requires=("determinism", "graph-cut"))
def loss_target_gradient(subject: Subject) -> Iterator[Finding | Verified]:
    """A loss has a gradient for every sample of its prediction; what flows into the target is told.

    What:
        Differentiates the loss with respect to prediction and target at several draws. A loss that changes with the
        prediction and has no gradient for it anywhere, as with argmax or a threshold inside, is an error. Samples
        without influence at any draw, and a gradient into an input that is called a teacher, are warnings; that a
        plain target gets a gradient too is a note.

    Why it matters:
        A loss without a gradient trains nothing, and what else is added to it hides that. A teacher that gets a
        gradient moves toward the student, and both settle on a constant.

    Wrong:
        def forward(self, logits, target):
            return (logits.argmax(-1) != target).float().mean()

    Right:
        def forward(self, logits, target):
            return F.cross_entropy(logits, target)

    When to ignore:
        When both sides are to learn, as in contrastive losses, or the caller detaches the target.
    """
    loss = loss_of(subject)
    if loss is None:
        raise Skip(NO_LOSS)
    if is_called_metric(subject):
        raise Skip("it is called a metric, which need have no gradient")
    probe = probe_of(subject, loss)
    draws = [probe.draw(seed=seed) for seed in range(DRAWS)]
    if draws[0][loss.prediction].numel() == 0:
        raise Skip(f"{loss.prediction} has no element")
    if not all(bool(probe.output(values).isfinite().all()) for values in draws):
        raise Inconclusive("the loss of ordinary values is not finite")
    try:
        gradients = [probe.gradient(values) for values in draws]
    except Exception as error:
        raise Skip(f"its gradient cannot be computed: {one_line(error)}") from None
    name = loss.prediction
    reach = torch.stack([torch.zeros_like(v[name]) if g is None else g for g, v in zip(gradients, draws, strict=True)])
    if not bool(reach.any()):
        if not _depends(probe, draws):
            told = f"the loss does not depend on {name}: it is the same for all predictions"
            yield Finding(told, "warning" if _has_integers(subject) else "error")
            return
        yield _no_gradient(probe, draws)
        return
    idle = _idle_samples(subject, loss, reach)
    if idle:
        count = reach.shape[1 + (batch_axes(subject) or {})[name]]
        yield Finding(
            f"samples {idle} of {count} in {name} have no influence on the loss, at any of {DRAWS} draws",
            "warning",
            {"samples without gradient": idle, "draws": DRAWS},
        )
        return
    yield Verified(f"a gradient for every sample of {name}", DRAWS)
    yield from _into_others(subject, probe, draws)


def _depends(probe: Probe, draws: list[Values]) -> bool:
    """Whether any other prediction, the perfect one among them, gives another loss."""
    name, values = probe.loss.prediction, draws[0]
    others = [draw[name] for draw in draws[1:]] + list(ideals(probe.subject, probe.loss, values).values())
    with torch.no_grad():
        before = probe.output(values)
        return any(not torch.equal(probe.output({**values, name: other}), before) for other in others)


def _no_gradient(probe: Probe, draws: list[Values]) -> Finding:
    name, values = probe.loss.prediction, draws[0]
    leaf = values[name].detach().clone().requires_grad_()
    location, step = _where_it_steps(probe, {**values, name: leaf}, leaf)
    through = f" is lost in {step}, which moves in steps" if step else " is zero or missing everywhere"
    is_choice = step is not None and "argm" in step
    with torch.no_grad():
        losses = [float(probe.output({**values, name: draw[name]}).sum()) for draw in draws]
    return Finding(
        f"the loss changes with {name}, yet its gradient{through}: nothing that feeds it can learn",
        "error" if probe.loss.named and (is_choice or not _has_integers(probe.subject)) else "warning",
        {"loss at other predictions": sorted(set(losses)), "gradient": 0.0, "draws": DRAWS},
        location,
    )


def _where_it_steps(probe: Probe, values: Values, leaf: Tensor) -> tuple[Location | None, str]:
    """The first operation on what depends on the prediction whose result carries no gradient, or is constant."""
    tainted, alive = {id(leaf)}, [leaf]
    arguments = [values[name] for name in probe.subject.input_names]
    with seeded(probe.subject.seed):
        steps = trace(lambda: probe.subject.call(probe.module, arguments))
    for step in steps:
        if not tainted & {id(t) for t in step.inputs}:
            continue
        short = step.name.rpartition(".")[2].strip("_")
        if step.outputs and re.fullmatch(STEPS, short):
            return step.location, short
        tainted |= {id(t) for t in step.outputs}
        alive += step.outputs
    return None, ""


def _idle_samples(subject: Subject, loss: Loss, reach: Tensor) -> list[int]:
    axes = batch_axes(subject)
    if axes is None or loss.prediction not in axes:
        return []
    rows = reach.movedim(1 + axes[loss.prediction], 1)
    alive = (rows != 0).reshape(rows.shape[0], rows.shape[1], -1).any(-1).any(0)
    return [] if bool(alive.all()) else [int(i) for i in (~alive).nonzero()]


def _into_others(subject: Subject, probe: Probe, draws: list[Values]) -> Iterator[Finding]:
    for name in subject.input_names:
        teaches = re.fullmatch(TEACHERS, name, re.IGNORECASE) is not None
        if name == probe.loss.prediction or not (teaches or name == probe.loss.target):
            continue
        if entry_of(subject, name).dtype != "float":
            continue
        try:
            gradient = probe.gradient(draws[0], name)
        except RuntimeError:  # it refuses to differentiate with respect to its target
            continue
        if gradient is None or not bool(gradient.any()):
            continue
        evidence = {"input": name, "norm of its gradient": float(gradient.norm())}
        if teaches:
            message = f"a gradient flows into {name}, which by its name is to teach and not to learn: detach it"
            yield Finding(message, "warning", evidence)
        else:
            yield Finding(f"a gradient flows into {name} too: detach it where a network makes it", "note", evidence)


def _has_integers(subject: Subject) -> bool:
    """Whether labels may be such, in a small batch, that nothing is left of the loss: no pair of one class."""
    return any(entry.dtype == "long" for entry in subject.spec.inputs)
