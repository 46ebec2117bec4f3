"""A target and a candidate as two functions of the same leaves: the inputs and the target's state."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.errors import one_line
from verifykit.experiments.behaviour.effects import state_of
from verifykit.gradients.function import real
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.sampling import COMPLEX_OF
from verifykit.spec.strategies import cast
from verifykit.spec.subject import named_tensors

Tensors = dict[str, Tensor]

# Cotangents are multiples of an eighth, which every precision holds exactly.
GRAIN = 8


class Refused(Exception):
    """A module raises for these inputs."""


@dataclass(frozen=True)
class Observation:
    """What one of the two gives at a point: outputs by place, gradients by leaf, and the gradients of those by leaf
    again, each for one random cotangent; ``second`` is ``None`` where double backward raised what ``refusal`` says.
    ``buffers`` are those that a call in training mode leaves, ``changed`` the inputs that it wrote to.
    """

    outputs: Tensors
    gradients: Tensors = field(default_factory=dict)
    second: Tensors | None = None
    refusal: str = ""
    buffers: Tensors = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    @property
    def tensors(self) -> Tensors:
        """All of them, what explains the others first."""
        return {
            **self.outputs,
            **{f"{name} after the call": buffer for name, buffer in self.buffers.items()},
            **{f"gradient of {name}": g for name, g in self.gradients.items()},
            **{f"second gradient of {name}": g for name, g in (self.second or {}).items()},
        }


@dataclass(frozen=True)
class Call:
    """How both are called: ``order`` is how often is differentiated, ``seed`` fixes the cotangents and ``chance`` what
    is drawn at random in forward.
    """

    training: bool = False
    order: int = 2
    seed: int = 0
    chance: int = 0


class Pair:
    """The target of ``facts`` and the candidate of ``match``, both in ``dtype``. Each is given copies of its own, and
    gradients are those of the inputs called ``differentiated`` and of the parameters.
    """

    def __init__(self, facts: Facts, match: Match, dtype: torch.dtype, differentiated: Collection[str]) -> None:
        subject = facts.subject
        self.differentiated = differentiated
        self.facts = facts
        self.match = match
        self.dtype = dtype
        self.target = subject.build(dtype)
        self.candidate = _Called(
            match.candidate.reference,
            match.candidate.reference.build(dtype, subject.device, seed=subject.seed),
        )

    def observe_target(self, state: Mapping[str, Tensor], inputs: Sequence[Tensor], call: Call) -> Observation:
        """Return what the target gives: it runs as it is, with the values of ``state`` in its own tensors.

        Raises:
            Refused: it raises.
        """
        module, subject = self.target.train(call.training), self.facts.subject
        held = state_of(module)
        with torch.no_grad():
            for name, tensor in held.items():
                tensor.copy_(state[name])
        parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}

        def run(fed: Sequence[Tensor]) -> Any:
            return subject.call(module, fed)

        seen = self._observe(run, parameters, inputs, call, lambda outputs: outputs)
        if not call.training:
            return seen
        after = {name: tensor.detach().clone() for name, tensor in state_of(module).items()}
        buffers = self._arranged({**after, **{name: state[name].to(after[name]) for name in parameters}})
        return _with_buffers(seen, buffers, self.candidate.module)

    def observe_candidate(self, state: Mapping[str, Tensor], inputs: Sequence[Tensor], call: Call) -> Observation:
        """Return what the candidate gives, by the target's names and places.

        Raises:
            Refused: it raises.
        """
        module, match = self.candidate.train(call.training), self.match
        wanted = {name for name, p in self.target.named_parameters() if p.requires_grad}
        own = {name: self._cast(tensor).clone() for name, tensor in state.items()}
        parameters = {name: own[name].requires_grad_() for name in own if name in wanted}
        initial = dict(self.candidate.module.named_buffers())
        held: Tensors = {}

        def run(fed: Sequence[Tensor]) -> Any:
            # Buffers are written to in training mode; what is written to must be no leaf.
            held.update({f"module.{name}": t.clone() for name, t in {**initial, **self._arranged(own)}.items()})
            return functional_call(module, held, tuple(fed[position] for position in match.order))

        def renamed(outputs: Tensors) -> Tensors:
            return {ours: self._related(outputs[theirs]) for ours, theirs in match.outputs.items() if theirs in outputs}

        seen = self._observe(run, parameters, inputs, call, renamed)
        if not call.training:
            return seen
        after = {name.removeprefix("module."): tensor.detach() for name, tensor in held.items()}
        return _with_buffers(seen, after, self.candidate.module)

    def _related(self, output: Tensor) -> Tensor:
        match = self.match
        return output if match.is_plain else match.scale * output + match.offset

    def _arranged(self, state: Mapping[str, Tensor]) -> Tensors:
        return {name: self._cast(tensor) for name, tensor in self.match.arrangement.arrange(state).items()}

    def _cast(self, tensor: Tensor) -> Tensor:
        if tensor.is_complex():
            return tensor.to(COMPLEX_OF[self.dtype])
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor

    def _observe(
        self,
        run: Callable[[Sequence[Tensor]], Any],
        parameters: Mapping[str, Tensor],
        inputs: Sequence[Tensor],
        call: Call,
        renamed: Callable[[Tensors], Tensors],
    ) -> Observation:
        subject = self.facts.subject
        given = cast(tuple(inputs), self.dtype, subject.device)
        leaves = {
            name: t.requires_grad_()
            for name, t in zip(subject.input_names, given, strict=True)
            if name in self.differentiated and (t.is_floating_point() or t.is_complex())
        }
        leaves |= {(f"parameter {name}" if name in leaves else name): p for name, p in parameters.items()}
        fed = [t.clone() for t in given]
        try:
            with seeded(call.chance), subject.default(self.dtype), torch.set_grad_enabled(call.order > 0):
                outputs = renamed(named_tensors(run(fed)))
                values = {name: t.detach().clone() for name, t in outputs.items()}
                changed = tuple(
                    name
                    for name, before, after in zip(subject.input_names, given, fed, strict=True)
                    if not torch.equal(before.detach().nan_to_num(), after.detach().nan_to_num())
                )
                if call.order == 0:
                    return Observation(values, changed=changed)
                gradients = _vjp(outputs, leaves, call.seed, create_graph=call.order > 1)
                plain = {name: g.detach() for name, g in gradients.items()}
                if call.order == 1:
                    return Observation(values, plain, changed=changed)
                try:
                    twice = _vjp(gradients, leaves, call.seed + 1)
                except RuntimeError as error:
                    return Observation(values, plain, None, one_line(error), changed=changed)
                return Observation(values, plain, {n: g.detach() for n, g in twice.items()}, changed=changed)
        except Exception as error:
            raise Refused(one_line(error)) from error


class _Called(nn.Module):
    """Calls a reference the way that it wants to be called, as a module whose state can be exchanged."""

    def __init__(self, reference: Reference, module: nn.Module) -> None:
        super().__init__()
        self.reference = reference
        self.module = module

    def forward(self, *inputs: Tensor) -> Any:
        return self.reference.call(self.module, inputs)


def cotangent(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return random numbers of the shape of ``like`` that are exact in every precision."""

    def drawn() -> Tensor:
        return (torch.randn(like.shape, generator=generator, dtype=torch.float64) * GRAIN).round() / GRAIN

    return (torch.complex(drawn(), drawn()) if like.is_complex() else drawn()).to(like)


def _vjp(outputs: Tensors, leaves: Tensors, seed: int, *, create_graph: bool = False) -> Tensors:
    """Gradients by every leaf for one cotangent, which depends on the places and shapes of the outputs alone."""
    generator = torch.Generator().manual_seed(seed)
    cotangents = {
        name: cotangent(t, generator)
        for name, t in sorted(outputs.items())
        if t.is_floating_point() or t.is_complex()
    }  # fmt: skip
    roots = {name: outputs[name] for name in cotangents if outputs[name].requires_grad}
    if not roots or not leaves:
        return {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    # One scalar, since handing cotangents to autograd imports half a second of sympy the first time.
    total = torch.stack([(real(output) * real(cotangents[name])).sum() for name, output in roots.items()]).sum()
    found = torch.autograd.grad(
        total, [*leaves.values()], create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return {name: g if g.layout is torch.strided else g.to_dense() for name, g in zip(leaves, found, strict=True)}


def _with_buffers(seen: Observation, state: Tensors, candidate: nn.Module) -> Observation:
    names = [name for name, buffer in candidate.named_buffers() if buffer.is_floating_point() and name in state]
    buffers = {f"buffer {name}": state[name] for name in names}
    return Observation(seen.outputs, seen.gradients, seen.second, seen.refusal, buffers, seen.changed)
