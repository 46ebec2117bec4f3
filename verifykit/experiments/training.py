"""A short run of training on one batch: a layer on the outputs of a teacher like it, a loss on its prediction."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from verifykit.experiments.observation import loss_of
from verifykit.spec.domain import Domain, Interval, Simplex, Sorted
from verifykit.spec.functional import pure_call
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

STEPS = 60
# Adam moves each weight by up to its rate in a step, so that these reach a teacher this far away in STEPS steps.
DISTANCE = 0.2
RATES = (2e-2, 2e-3)
# A gradient smaller than this share of the greatest one may be rounding, as that of a bias which softmax cancels.
ROUNDING = 1e-9
# Small enough that a choice does not tip over, large enough to show in double precision.
LITTLE = 1e-7
# A run may stop when it has got this far.
FALLEN = 0.5


@dataclass
class Run:
    """What happened: the loss at each step, which parameters ever had a gradient other than 0, which ones the module
    replaced by others meanwhile, and what ended it.
    """

    losses: list[float] = field(default_factory=list)
    gradients: dict[str, bool] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    error: Exception | None = None
    has_graph: bool = True

    @property
    def fell_to(self) -> float:
        """The least loss, as a share of the first."""
        numbers = [loss for loss in self.losses if math.isfinite(loss)]
        return min(numbers) / self.losses[0] if numbers and self.losses[0] else math.nan

    @property
    def is_finite(self) -> bool:
        return all(math.isfinite(loss) for loss in self.losses)

    @property
    def without_gradient(self) -> list[str]:
        return [name for name, had in self.gradients.items() if not had]


def teacher_outputs(subject: Subject, inputs: Sequence[Tensor], distance: float) -> list[Tensor] | None:
    """Return what the module gives with its parameters moved by ``distance``; ``None`` where that is no number."""
    teacher = subject.build(training=True)
    generator = torch.Generator().manual_seed(subject.seed + 1)
    with torch.no_grad():
        for parameter in teacher.parameters():
            if parameter.requires_grad:
                size = distance * max(1.0, float(parameter.abs().square().mean().sqrt()) if parameter.numel() else 1.0)
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.add_((size * noise).to(parameter.dtype).to(parameter.device))
        with seeded(subject.seed):
            outputs = _floats(subject.call(teacher, [t.clone() for t in inputs]))
    return outputs if all(bool(t.isfinite().all()) for t in outputs) else None


def fit(subject: Subject, inputs: Sequence[Tensor], targets: Sequence[Tensor], rate: float, steps: int = STEPS) -> Run:
    """Train a fresh module with Adam on the squared error to ``targets``; random draws are the same in each step."""
    module = subject.build(training=True)

    def loss() -> Tensor:
        with seeded(subject.seed):
            outputs = _floats(subject.call(module, [t.clone() for t in inputs]))
        terms = [_mean_square(o - t) for o, t in zip(outputs, targets, strict=True)]
        return torch.stack(terms).sum()

    named = {name: p for name, p in module.named_parameters() if p.requires_grad}
    run = _descend(loss, named, rate, steps)
    now = dict(module.named_parameters())
    run.replaced = [name for name, parameter in named.items() if now.get(name) is not parameter]
    return run


def minimise(subject: Subject, rate: float, *, seed: int = 0, steps: int = STEPS) -> Run:
    """Minimise a loss over its prediction, kept inside its domain, and over its parameters, from values of ``seed``."""
    loss = loss_of(subject)
    assert loss is not None
    module, inputs = subject.build(training=True), list(subject.draw(seed=seed))
    index = subject.input_names.index(loss.prediction)
    free, shaped = _unbounded(subject.spec.inputs[index].domain, inputs[index])
    free.requires_grad_()

    def value() -> Tensor:
        given = [t.clone() for t in inputs]
        given[index] = shaped(free)
        with seeded(subject.seed):
            return _floats(subject.call(module, given))[0].mean()

    named = {name: p for name, p in module.named_parameters() if p.requires_grad}
    return _descend(value, {loss.prediction: free, **named}, rate, steps)


def trains_at_times(subject: Subject) -> bool:
    """Whether outputs carry a gradient in eval mode or under another random seed: a layer that is dropped at times."""
    for training, seed in product((True, False), range(1, 4)):
        module = subject.build(training=training)
        with seeded(seed):
            outputs = named_tensors(subject.call(module, subject.draw()))
        if any(t.requires_grad for t in outputs.values()):
            return True
    return False


def has_gradient_elsewhere(subject: Subject, inputs: Sequence[Tensor], names: Sequence[str]) -> set[str]:
    """Return which of these parameters have a gradient other than 0 where all parameters are drawn at random."""
    alive: set[str] = set()
    for seed in range(3):
        module = _at_random(subject, seed)
        call = pure_call(subject, module, tuple(inputs))
        leaves = [leaf.clone().requires_grad_() for leaf in call.point]
        with seeded(subject.seed):
            outputs = [t for t in _floats(call(leaves)) if t.requires_grad]
        if not outputs:
            continue
        total = torch.stack([_mean_square(t - torch.roll(t.detach(), 1) - 0.1) for t in outputs]).sum()
        found = torch.autograd.grad(total, leaves, allow_unused=True)
        sizes = [0.0 if g is None or not g.numel() else float(g.abs().max()) for g in found]
        for name, size in zip(call.names, sizes, strict=True):
            if size > ROUNDING * max(sizes):
                alive.add(name.removeprefix("parameter "))
    return alive & set(names)


def jumps_with(subject: Subject, inputs: Sequence[Tensor], name: str) -> bool:
    """Whether the outputs jump as the parameter called ``name`` changes: by much they follow, by little they do not.
    What follows by little has a slope, which autograd does not know of: that is a cut, and other checks tell.
    """
    return not _follows(subject, inputs, name, (LITTLE, -LITTLE)) and _follows(subject, inputs, name, (1.0, -3.0))


def _follows(subject: Subject, inputs: Sequence[Tensor], name: str, scales: Sequence[float]) -> bool:
    for seed in range(3):
        module = subject.build(training=True) if seed == 0 else _at_random(subject, seed)
        values = []
        for scale in (0.0, *scales):
            with torch.no_grad(), seeded(subject.seed):
                parameter = dict(module.named_parameters())[name]
                kept = parameter.clone()
                generator = torch.Generator().manual_seed(seed)
                noise = torch.randn(kept.shape, generator=generator, dtype=torch.float64).to(kept.dtype)
                parameter.add_(scale * (noise + noise.sign()).to(kept.device))
                values.append(_floats(subject.call(module, [t.clone() for t in inputs])))
                dict(module.named_parameters())[name].copy_(kept)
        if any(not torch.equal(a, b) for other in values[1:] for a, b in zip(values[0], other, strict=False)):
            return True
    return False


def _at_random(subject: Subject, seed: int) -> nn.Module:
    module = subject.build(training=True)
    generator = torch.Generator().manual_seed(subject.seed + seed + 10)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_((0.5 * noise).to(parameter.dtype))
    return module


def _descend(loss: Callable[[], Tensor], named: Mapping[str, Tensor], rate: float, steps: int) -> Run:
    run = Run(gradients=dict.fromkeys(named, False))
    optimiser = torch.optim.Adam(list(named.values()), lr=rate)
    for step in range(steps):
        try:
            value = loss()
            run.losses.append(float(value.detach()))
            if not value.requires_grad:
                run.has_graph = False
                return run
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            for name, parameter in named.items():
                gradient = parameter.grad
                run.gradients[name] |= gradient is not None and bool((gradient != 0).any())
            optimiser.step()
        except Exception as error:
            run.error = error
            return run
        done = run.losses[-1] < FALLEN * run.losses[0] and not run.without_gradient
        if not math.isfinite(run.losses[-1]) or (done and step >= 5):
            return run
    return run


def _unbounded(domain: Domain, start: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return free values and the map from them into ``domain``."""
    match domain:
        case Simplex():
            return start.log(), lambda z: z.softmax(-1)
        case Interval(low, high) if math.isfinite(low) and math.isfinite(high):
            return ((start - low) / (high - low)).logit(1e-6), lambda z: low + (high - low) * z.sigmoid()
        case Interval(low, high) if math.isfinite(low):
            return _inverse_softplus(start - low), lambda z: low + F.softplus(z)
        case Interval(low, high) if math.isfinite(high):
            return _inverse_softplus(high - start), lambda z: high - F.softplus(z)
        case Sorted():
            return start.clone(), lambda z: z.sort(-1).values
        case _:
            return start.clone(), lambda z: z.clone()


def _inverse_softplus(value: Tensor) -> Tensor:
    return value + torch.log(-torch.expm1(-value))


def _floats(result: object) -> list[Tensor]:
    return [t for t in named_tensors(result).values() if t.is_floating_point() or t.is_complex()]


def _mean_square(tensor: Tensor) -> Tensor:
    return tensor.abs().square().mean() if tensor.numel() else tensor.abs().sum()
