"""A loss as a function of its inputs and parameters by name, with its gradients, at drawn points."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.identify.facts import Facts, State, facts_of, moved
from verifykit.spec.domain import OneOf, Real
from verifykit.spec.subject import Subject

Values = Mapping[str, Tensor]

# What stands before the name of a parameter, so that none is taken for an input of the same name.
OWN = "self."


@dataclass(frozen=True)
class Point:
    """The loss at drawn values: its inputs and parameters by name, those that are real being leaves, its ``total`` and
    its ``gradient`` with respect to these leaves, one after the other. ``scale`` is what free reals were multiplied by.
    """

    sizes: Mapping[str, int]
    seed: int
    scale: float
    values: dict[str, Tensor]
    total: float
    gradient: Tensor

    @property
    def leaves(self) -> dict[str, Tensor]:
        """The real inputs and parameters."""
        return {name: tensor for name, tensor in self.values.items() if tensor.requires_grad}

    def blocks(self) -> dict[str, Tensor]:
        """The gradient by leaf, flattened."""
        counts = [leaf.numel() for leaf in self.leaves.values()]
        return dict(zip(self.leaves, torch.split(self.gradient, counts), strict=True))


@dataclass(frozen=True)
class LossFunction:
    """A loss that gives one real number, at ``place`` in what it returns. Its parameters move from point to point like
    its inputs. ``held`` names those through which no gradient passes though the value depends on them.
    """

    facts: Facts
    place: str
    held: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        """What it is the loss of."""
        return self.facts.subject

    def draw(self, sizes: Mapping[str, int], seed: int, scale: float) -> dict[str, Tensor]:
        """Return inputs and parameters by name, the real ones as leaves; inputs that may be any real are scaled."""
        drawn = self.subject.draw(sizes, seed=seed)
        entries = self.subject.spec.inputs
        values = {
            entry.name: tensor * scale if entry.dtype == "float" and isinstance(entry.domain, Real) else tensor
            for entry, tensor in zip(entries, drawn, strict=True)
        }
        fixed = {*self.held, *(entry.name for entry in entries if isinstance(entry.domain, OneOf))}
        if self.facts.parameters:
            state = moved(self.facts.module, (), self.subject.seed + seed + 1)
            values |= {OWN + name: state[name] for name in self.facts.parameters}
        return {name: tensor if name in fixed else _leaf(tensor) for name, tensor in values.items()}

    def at(self, sizes: Mapping[str, int], seed: int, scale: float = 1.0) -> Point:
        """Return the loss and its gradient at drawn values. What the module raises passes through."""
        return self.point(sizes, seed, scale, self.draw(sizes, seed, scale))

    def point(self, sizes: Mapping[str, int], seed: int, scale: float, values: dict[str, Tensor]) -> Point:
        """Return the loss and its gradient at ``values``. What the module raises passes through."""
        total = self.total(values, seed)
        return Point(sizes, seed, scale, values, float(total.detach()), gradient_of(total, values))

    def total(self, values: Values, seed: int = 0) -> Tensor:
        """Return the loss for ``values``, in their precision, with its graph; ``seed`` is for what it draws itself."""
        state: State = {
            name: values.get(OWN + name, tensor)
            if OWN + name in values
            else tensor.to(precision_of(values))
            if tensor.is_floating_point()
            else tensor
            for name, tensor in self.facts.state.items()
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = self.facts.evaluate(state, [values[name] for name in self.subject.input_names], seed=seed)
        return outputs[self.place].sum()


def precision_of(values: Values) -> torch.dtype:
    """Return the dtype of the real tensors among ``values``."""
    return next((tensor.dtype for tensor in values.values() if tensor.is_floating_point()), torch.float64)


def gradient_of(total: Tensor, values: Values) -> Tensor:
    """Return the gradient of ``total`` with respect to the leaves among ``values``, zero where there is no path."""
    leaves = [tensor for tensor in values.values() if tensor.requires_grad]
    if not leaves:
        return torch.zeros(0, dtype=torch.float64)
    if not total.requires_grad:
        return torch.cat([torch.zeros_like(leaf).flatten() for leaf in leaves])
    found: Sequence[Tensor | None] = torch.autograd.grad(total, leaves, allow_unused=True)
    return torch.cat(
        [
            torch.zeros_like(leaf).flatten() if one is None else one.flatten()
            for one, leaf in zip(found, leaves, strict=True)
        ]
    ).detach()


def function_of(subject: Subject) -> LossFunction:
    """Return ``subject``, whose first output is one real number, as a function of its inputs and parameters. Inputs
    with respect to which torch refuses to differentiate it are held.
    """
    facts = facts_of(subject)
    place = next(iter(facts.outputs))
    reals = [entry.name for entry in subject.spec.inputs if entry.dtype == "float"]
    for held in ((), *((name,) for name in reversed(reals)), tuple(reals[1:])):
        function = LossFunction(facts, place, held)
        try:
            function.at(subject.spec.usual_sizes, 0)
        except RuntimeError as error:
            if "differentiable" not in str(error):
                raise
        else:
            return function
    return LossFunction(facts, place, tuple(reals))


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().requires_grad_() if tensor.is_floating_point() else tensor
