"""One call in eval mode, and what it writes to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from verifykit.experiments.behaviour.state import Write, Writes, line_of_change, same, storage_key
from verifykit.results import Location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

SCALE = 8.0
SHIFT = 0.5


@dataclass(frozen=True)
class Run:
    """One call: what was written, inputs, parameters and buffers before and after it."""

    module: nn.Module
    inputs: tuple[Tensor, ...]
    given: tuple[Tensor, ...]
    versions: list[int]
    before: dict[str, Tensor]
    after: dict[str, Tensor]
    writes: list[Write]
    outputs: dict[str, Tensor]


@contextmanager
def moved_parameters(module: nn.Module, scale: float = SCALE, shift: float = SHIFT) -> Iterator[None]:
    """Run the body with parameters so large that a bound on them shows, and none zero; put back what they were, since a
    part may be one that the user's constructor arguments hold.
    """
    parameters = [p for p in module.parameters() if p.is_floating_point() or p.is_complex()]
    before = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        for parameter in parameters:
            parameter.mul_(scale).add_(shift)
    try:
        yield
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.data = value


def run_once(subject: Subject, module: nn.Module, seed: int) -> Run:
    """Call ``module`` on inputs of its own and note what is written meanwhile."""
    inputs = subject.draw(seed=seed)
    given = tuple(tensor.clone() for tensor in inputs)
    before = {name: tensor.detach().clone() for name, tensor in state_of(module).items()}
    versions = [tensor._version for tensor in given]
    with torch.no_grad(), seeded(subject.seed), Writes() as writes:
        result = subject.call(module, given)
        outputs = named_tensors(result)
    after = {name: tensor.detach().clone() for name, tensor in state_of(module).items()}
    return Run(module, inputs, given, versions, before, after, writes.found, outputs)


def state_of(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def line_of_write(writes: Sequence[Write], tensor: Tensor) -> Location | None:
    """Return the line of the first operator that wrote to the storage of ``tensor``."""
    key = storage_key(tensor)
    return next((write.location for write in writes if write.storage == key), None)


def line_of_input(subject: Subject, position: int, *, values: bool) -> Location | None:
    """Return the line at which the input there changes, found by looking after each line at its ``values``, or else at
    whether it wants a gradient.
    """
    module, given = subject.build(), [t.clone() for t in subject.draw()]

    def probe() -> Tensor | bool:
        return given[position].detach().clone() if values else given[position].requires_grad

    return line_of_change(partial(_call_once, subject, module, given), probe)


def line_of_state(subject: Subject, name: str, *, scaled: bool = False) -> Location | None:
    """Return the line at which the parameter or buffer of this name changes."""
    module, given = subject.build(), subject.draw()
    with moved_parameters(module) if scaled else nullcontext():
        return line_of_change(
            partial(_call_once, subject, module, given), lambda: state_of(module)[name].detach().clone()
        )


def is_bounded(subject: Subject, name: str, *, scaled: bool) -> bool:
    """Whether a second call leaves the parameter of this name as the first has left it."""
    module, given = subject.build(), subject.draw()
    with moved_parameters(module) if scaled else nullcontext():
        _call_once(subject, module, given)
        once = state_of(module)[name].detach().clone()
        _call_once(subject, module, given)
        return same(once, state_of(module)[name])


def _call_once(subject: Subject, module: nn.Module, given: Sequence[Tensor]) -> None:
    with torch.no_grad(), seeded(subject.seed):
        subject.call(module, given)
