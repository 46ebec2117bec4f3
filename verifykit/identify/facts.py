"""What is seen of a subject before it is compared: a module whose state hides nothing, and its outputs."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.experiments.behaviour.effects import state_of
from verifykit.experiments.observation import outputs_of
from verifykit.spec.domain import Real
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

State = Mapping[str, Tensor]

# How many times larger inputs are tried where the usual ones show nothing.
WIDER = (4.0, 32.0, 256.0)
# How many times larger than usual wild parameters are.
WILD = 8.0


@dataclass(frozen=True)
class Facts:
    """A subject seen in float64 at its usual sizes. ``module`` is in eval mode and its parameters and running
    statistics have been moved off the ones and zeros that they start from; ``state`` holds them by name, ``running``
    names the buffers that training changes. ``inputs`` are those of ``outputs``, by place in what it returns.
    ``random`` says that two calls in training mode differ.
    """

    subject: Subject
    module: nn.Module
    state: dict[str, Tensor]
    running: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: dict[str, Tensor]
    random: bool

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Its parameters alone, by name."""
        return {name: self.state[name] for name, _ in self.module.named_parameters()}

    def evaluate(
        self, state: State, inputs: Sequence[Tensor], *, training: bool = False, seed: int = 0
    ) -> dict[str, Tensor]:
        """Return the outputs by place for ``inputs`` where the module has ``state``, with whatever graph these ask for.

        Neither is changed. What the module raises passes through.
        """
        positional, named = self.subject.arguments([tensor.clone() for tensor in inputs])
        self.module.train(training)
        try:
            with seeded(seed), self.subject.default(torch.float64):
                held = {name: tensor.clone() for name, tensor in state.items()}
                return named_tensors(functional_call(self.module, held, positional, named))
        finally:
            self.module.eval()


def facts_of(subject: Subject) -> Facts:
    """Return what is seen of ``subject``; observed once. What the module raises passes through."""
    return subject.once("facts for identification", lambda: _observed(subject))


def moved(module: nn.Module, running: Sequence[str], seed: int, *, wild: bool = False) -> dict[str, Tensor]:
    """Return copies of the parameters and buffers of ``module`` in which parameters and the buffers called ``running``
    have general values: none is zero, one, or the same throughout. Running statistics that are positive stay so; the
    parameters are near those it has, or ``wild``: of either sign, and up to some ten times larger.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {name: tensor.detach().clone() for name, tensor in state_of(module).items()}
    for name in [*(name for name, _ in module.named_parameters()), *running]:
        tensor = state[name]
        if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.numel() == 0:
            continue
        scale = float(tensor.abs().mean()) or 0.5
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor)
        if name in running and bool((tensor.real >= 0).all()) and bool((tensor != 0).any()):
            state[name] = tensor * (1 + 0.5 * torch.tanh(noise))
        elif wild and name not in running:
            state[name] = scale * WILD * noise
        else:
            state[name] = tensor + 0.25 * scale * noise
    return state


def _observed(subject: Subject) -> Facts:
    module, inputs = subject.build(), subject.draw()
    trained = copy.deepcopy(module).train()
    before = {name: buffer.clone() for name, buffer in trained.named_buffers()}
    random = False
    try:
        first = outputs_of(subject, trained, inputs)
        running = tuple(
            name
            for name, buffer in trained.named_buffers()
            if name in before and buffer.is_floating_point() and not torch.equal(buffer, before[name])
        )
        second = outputs_of(subject, copy.deepcopy(module).train(), inputs, seed=1)
        random = any(not _same(first[name], second[name]) for name in first.keys() & second.keys())
    except Exception:  # in training mode it takes other inputs: what eval mode shows is all there is
        running = ()
    state = moved(module, running, subject.seed + 1)
    with torch.no_grad():
        for name, tensor in state_of(module).items():
            tensor.copy_(state[name])
    inputs, outputs = _telling(subject, module, inputs)
    return Facts(subject, module, state, running, inputs, outputs, random)


def _telling(
    subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """``inputs`` with the outputs for them, made larger where they may have any value and the outputs are constant, as
    those of an activation below its threshold.
    """
    outputs = outputs_of(subject, module, inputs)
    if _varied(outputs):
        return inputs, outputs
    for factor in WIDER:
        wider = tuple(
            value * factor if isinstance(entry.domain, Real) and value.is_floating_point() else value
            for entry, value in zip(subject.spec.inputs, inputs, strict=True)
        )
        found = outputs_of(subject, module, wider)
        if _varied(found):
            return wider, found
    return inputs, outputs


def _varied(outputs: dict[str, Tensor]) -> bool:
    return any(value.numel() == 1 or bool((value != value.flatten()[:1]).any()) for value in outputs.values())


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())
