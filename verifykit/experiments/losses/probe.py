"""What the checks of losses share: a loss as a number, its gradient, and what a better prediction would be."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.experiments.observation import Loss, batch_of, is_called_loss, loss_of
from verifykit.spec.declared import GIVEN
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

NO_LOSS = "it is no loss: one real output and a target beside the prediction"

Values = dict[str, Tensor]


@dataclass(frozen=True)
class Probe:
    """A fresh module of a loss in double precision and eval mode, called with inputs by name. ``extra`` are arguments
    of its forward that the spec does not have.
    """

    subject: Subject
    loss: Loss
    module: nn.Module
    extra: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, sizes: Mapping[str, int] | None = None, *, seed: int = 0) -> Values:
        """Return the inputs by name."""
        return dict(zip(self.subject.input_names, self.subject.draw(sizes, seed=seed), strict=True))

    def output(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the loss, whatever its shape, with its graph; what the module raises passes through."""
        copies = [values[name].clone() for name in self.subject.input_names]
        positional, named = self.subject.arguments(copies)
        with warnings.catch_warnings(), seeded(self.subject.seed):
            warnings.simplefilter("ignore")
            result = self.module(*positional, **named, **self.extra)
        return next(iter(named_tensors(result).values()))

    def mean(self, values: Mapping[str, Tensor]) -> float:
        """Return the average of the elements of the loss."""
        with torch.no_grad():
            return float(self.output(values).mean())

    def gradient(self, values: Mapping[str, Tensor], name: str | None = None) -> Tensor | None:
        """Return the gradient of the sum of the loss with respect to an input, the prediction unless told otherwise;
        ``None`` where autograd sees no path.
        """
        name = name or self.loss.prediction
        leaf = values[name].detach().clone().requires_grad_()
        total = self.output({**values, name: leaf}).sum()
        return torch.autograd.grad(total, leaf, allow_unused=True)[0] if total.requires_grad else None


def agreement(probe: Probe, values: Mapping[str, Tensor], actual: Tensor, expected: Tensor) -> Difference | None:
    """Compare two losses, ``expected`` being that at ``values``, with the tolerance that its evaluation in single
    precision gives.
    """
    try:
        narrow = {name: t.float() if t.dtype == torch.float64 else t for name, t in values.items()}
        single = replace(probe, module=probe.subject.build(torch.float32)).output(narrow).detach()
    except Exception:  # it works in double precision only
        single = expected.float()
    if single.shape != expected.shape:
        single = expected.float()
    return worst_difference(actual, expected, rounding_tolerance(expected.detach(), single, torch.float64))


def probe_of(subject: Subject, loss: Loss, **extra: Any) -> Probe:
    """Return a probe with a fresh module."""
    return Probe(subject, loss, subject.build(), extra)


def one_number_loss(subject: Subject) -> Loss | None:
    """Return how ``subject`` is a loss that gives one number; one without a target, such as total variation, has its
    input for both.
    """
    loss = loss_of(subject)
    if loss is not None:
        return loss if loss.reduced else None
    outputs, entries = learn_outputs(subject), subject.spec.inputs
    reals = [entry.name for entry in entries if entry.dtype == "float"]
    if len(outputs) != 1 or outputs[0].shape or outputs[0].dtype != "float" or not reals or not is_called_loss(subject):
        return None
    return Loss(reals[0], reals[0], True, named=True)


def entry_of(subject: Subject, name: str) -> InputSpec:
    """Return the input of this name."""
    return next(entry for entry in subject.spec.inputs if entry.name == name)


def is_declared(subject: Subject, name: str) -> bool:
    """Whether the user described this input, so that nothing of it is guessed."""
    return subject.spec.sources.get(f"inputs.{name}") in GIVEN


def batch_axes(subject: Subject) -> dict[str, int] | None:
    """Return the dimension that counts samples in each input that has one; ``None`` where the prediction has none."""
    batch = batch_of(subject)
    if batch is None:
        return None
    return {name: axis for name, axis in zip(subject.input_names, batch.inputs, strict=True) if axis is not None}


def parameters_of(subject: Subject) -> dict[str, inspect.Parameter]:
    """Return the arguments of the constructor, or of the function that is the target; none where they are not known."""
    if subject.target.kind in ("instance", "autograd.Function"):
        return {}
    try:
        return dict(inspect.signature(subject.target.obj).parameters)
    except (TypeError, ValueError):
        return {}


def forward_parameters(subject: Subject) -> dict[str, inspect.Parameter]:
    """Return the arguments of the forward; those of a function are its constructor's here."""
    if subject.target.kind in ("function", "autograd.Function"):
        return {}
    try:
        return dict(inspect.signature(subject.build().forward).parameters)
    except (TypeError, ValueError):
        return {}


def with_arguments(subject: Subject, **init: Any) -> Subject:
    """Return the subject with other constructor arguments."""
    return replace(subject, spec=replace(subject.spec, init={**subject.spec.init, **init}), _shared={})
