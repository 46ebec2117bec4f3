"""What of a target may serve a candidate's state: its parameters, running statistics, other buffers, held constants."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from verifykit.experiments.holdings import held_tensors
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.layouts import Shape


@dataclass(frozen=True)
class Source:
    """A tensor of the target, or several joined along ``axis``. ``constant`` holds it where it is not in the state;
    ``needed`` says that it must be used: it is a parameter that the outputs depend on.
    """

    name: str
    shape: Shape
    needed: bool
    parameter: bool
    constant: Tensor | None = None
    joined: tuple["Source", ...] = ()
    axis: int = 0

    def of(self, state: Mapping[str, Tensor]) -> Tensor:
        """Its value in ``state``, in the precision of that."""
        if self.joined:
            return torch.cat([source.of(state) for source in self.joined], self.axis)
        if self.constant is None:
            return state[self.name]
        like = next((tensor for tensor in state.values() if tensor.is_floating_point()), self.constant)
        return self.constant.to(like)


def sources(facts: Facts) -> list[list[Source]]:
    """Return the sources of ``facts`` in three growing lists: what it learns and what it gathers in training; all
    floating-point buffers too; and the tensors in plain attributes.
    """
    return facts.subject.once("sources of a candidate's state", lambda: _sources(facts))


def joined(available: Sequence[Source]) -> Iterator[list[Source]]:
    """Yield ``available`` with those tensors joined whose names differ in a number alone, or in all but what follows
    the last dot: those of a list of modules, or of modules side by side. Matrices along the first axis or the last.
    """
    for pattern, axis in product((_without_numbers, _attribute), (0, -1)):
        groups: dict[tuple[str, bool, Shape], list[Source]] = {}
        for source in available:
            at = axis if len(source.shape) > 1 else 0
            rest = source.shape[1:] if at == 0 else source.shape[:-1]
            key = (pattern(source.name) if source.shape else source.name, source.needed, rest)
            groups.setdefault(key, []).append(source)
        if any(len(group) > 1 for group in groups.values()):
            yield [_joined(group, axis) for group in groups.values()]


def _joined(group: list[Source], axis: int) -> Source:
    first = group[0]
    if len(group) == 1:
        return first
    at = axis % len(first.shape) if len(first.shape) > 1 else 0
    shape = tuple(sum(s.shape[at] for s in group) if place == at else size for place, size in enumerate(first.shape))
    name = ", ".join(source.name for source in group)
    return Source(name, shape, first.needed, first.parameter, joined=tuple(group), axis=at)


def _without_numbers(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _attribute(name: str) -> str:
    return name.rpartition(".")[2]


def _sources(facts: Facts) -> list[list[Source]]:
    idle, parameters = _idle(facts), facts.parameters
    own = [
        Source(name, tuple(tensor.shape), name in parameters and name not in idle, name in parameters)
        for name, tensor in facts.state.items()
        if tensor.is_floating_point() or tensor.is_complex()
    ]
    learnt = [source for source in own if source.needed or source.name in facts.running]
    held = [
        Source(held.path, tuple(held.tensor.shape), False, False, held.tensor.detach().to(torch.float64))
        for held in held_tensors(facts.module)
        if held.tensor.is_floating_point() and held.tensor.numel() > 0
    ]
    return [learnt, *([own] if len(own) > len(learnt) else []), *([own + held] if held else [])]


def _idle(facts: Facts) -> set[str]:
    """The parameters that no output depends on: no graph leads to them, and moving them moves nothing."""
    wanted = {n: t.detach().clone().requires_grad_() for n, t in facts.parameters.items() if t.is_floating_point()}
    if not wanted:
        return set()
    try:
        with torch.enable_grad():
            outputs = facts.evaluate({**facts.state, **wanted}, facts.inputs)
        roots = [value.abs().sum() for value in outputs.values() if value.requires_grad]
        grads = torch.autograd.grad(roots, [*wanted.values()], allow_unused=True)
    except Exception:  # nothing that can be differentiated
        return set()
    idle = {name for name, grad in zip(wanted, grads, strict=True) if grad is None}
    if not idle:
        return set()
    with torch.no_grad():
        moved = facts.evaluate({n: t + 0.5 if n in idle else t for n, t in facts.state.items()}, facts.inputs)
    same = all(torch.equal(moved[name].nan_to_num(), value.nan_to_num()) for name, value in outputs.items())
    return idle if same else set()
