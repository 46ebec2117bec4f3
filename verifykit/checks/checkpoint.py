"""checkpoint: activation checkpointing changes neither outputs nor gradients."""

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as recomputed

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.passes import NOT_REPEATED, Pass, evidence_of, rounding_of, run_pass, worst_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

# Seeds that are tried where forward draws from a generator that is not restored: a draw may repeat by chance.
DRAWS = 16


@check("checkpoint", family="tooling", severity="warning")
def checkpoint(subject: Subject) -> Iterator[Finding | Verified]:
    """Activation checkpointing, which runs forward a second time, changes neither outputs nor gradients.

    What:
        Runs the module in training mode, backward from a plain forward, and backward from a forward that is run a
        second time with torch's random state put back, as activation checkpointing does. Where the second run saves
        other tensors or gives other gradients, torch.utils.checkpoint (not reentrant) is asked itself, and two forwards
        in a row are followed to the first operation that differs. State that changes twice without effect is a note.

    Why it matters:
        Whoever checkpoints a large model expects the same gradients for less memory. A second forward that is another
        function, since the first changed its state or its input, or since it draws from a random generator that torch
        does not restore, gives wrong gradients, mostly without a word.

    Wrong:
        def forward(self, x):
            if self.training and random.random() < 0.1:  # tossed anew when forward is run again
                return x
            return x + self.branch(x)

    Right:
        def forward(self, x):
            if self.training and torch.rand(()) < 0.1:  # torch.utils.checkpoint puts this generator back
                return x
            return x + self.branch(x)

    When to ignore:
        When the module will not be checkpointed.
    """
    plain, again = _plainly(subject), _plainly(subject)
    tolerances = {**dict.fromkeys(plain.tensors, 0.0), **_rounding(subject)}
    parted = worst_of(again.tensors, plain.tensors, tolerances)
    if parted is not None and parted[1].excess > 1:
        raise Inconclusive(NOT_REPEATED)
    for seed in range(DRAWS):
        twice, plain = _Twice(subject, seed), _plainly(subject, seed)
        if not twice.is_like(plain, tolerances) and (finding := _confirmed(subject, plain, tolerances, seed)):
            state = {"state that the first forward changed": ", ".join(twice.touched)} if twice.touched else {}
            yield msgspec.structs.replace(finding, evidence={**finding.evidence, **state})
            return
        if not twice.foreign:
            break
    yield Verified(
        f"{len(plain.gradients)} gradients where forward runs a second time in backward",
        seed + 1,
        None,
        f"{max(tolerances.values(), default=0.0):.1g}, from rounding",
    )
    if twice.foreign:
        yield Finding(f"{twice.foreign}, which checkpointing does not put back, without effect so far", "note")
    if twice.changed:
        yield Finding(
            f"under activation checkpointing its state changes twice for each step: {', '.join(twice.changed[:5])}",
            "note",
            {"state": ", ".join(twice.changed)},
        )


def _confirmed(subject: Subject, plain: Pass, tolerances: Mapping[str, float], seed: int) -> Finding | None:
    """Return what torch.utils.checkpoint itself makes of it."""
    location = _where_forwards_part(subject, seed)
    try:
        call = partial(_checkpointed, subject)
        found = run_pass(subject, subject.build(training=True), subject.draw(), call, seed=seed)
    except Exception as error:
        return Finding(
            "under activation checkpointing backward raises, since forward run a second time is not like the first: "
            f"{one_line(error)[:200]}",
            location=location,
        )
    worst = worst_of(found.tensors, plain.tensors, tolerances)
    if worst is None or worst[1].excess <= 1:
        return None
    name, difference = worst
    return Finding(
        f"under activation checkpointing {name} is wrong, and nothing says so: forward run a second time, in backward, "
        "is another function",
        evidence=evidence_of(name, difference, "checkpointed", "plain"),
        location=location,
    )


class _Twice:
    """What checkpointing does, without its machinery, whose import takes a second: forward, torch's random state put
    back, forward once more, and backward from there.
    """

    def __init__(self, subject: Subject, seed: int) -> None:
        module = subject.build(training=True)
        self.foreign = ""
        self.saved: list[list[tuple[Any, ...]]] = [[], []]
        self.states: list[dict[str, Any]] = []

        def call(module: nn.Module, inputs: Sequence[Tensor]) -> Any:
            self.states.append(_state(module))
            start, others = torch.get_rng_state(), (random.getstate(), np.random.get_state())
            with _noted(self.saved[0]):
                subject.call(module, inputs)
            self.foreign = _drawn_from(*others)
            self.states.append(_state(module))
            torch.set_rng_state(start)
            with _noted(self.saved[1]):
                result = subject.call(module, inputs)
            self.states.append(_state(module))
            return result

        try:
            self.gradients = run_pass(subject, module, subject.draw(), call, seed=seed).gradients
        except Exception:  # the real thing will say what it is
            self.gradients = {}

    def is_like(self, plain: Pass, tolerances: Mapping[str, float]) -> bool:
        """Whether the second forward saves what the first does, and gives the gradients of the plain pass."""
        if self.gradients.keys() != plain.gradients.keys() or self.saved[0] != self.saved[1]:
            return False
        worst = worst_of(self.gradients, plain.gradients, tolerances)
        return worst is None or worst[1].excess <= 1

    @property
    def touched(self) -> list[str]:
        """The names of the state that the first forward changed."""
        return _changes(*self.states[:2])

    @property
    def changed(self) -> list[str]:
        """The names of the state that the second forward changed again."""
        return _changes(*self.states[1:])


def _changes(before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None) -> list[str]:
    return [name for name, value in (after or {}).items() if not _equal(value, (before or {}).get(name))]


def _noted(saved: list[tuple[Any, ...]]) -> Any:
    """Note the kind of every tensor that autograd saves, which checkpointing holds forward's second run to."""

    def note(tensor: Tensor) -> Tensor:
        saved.append((tuple(tensor.shape), tensor.dtype, tensor.device))
        return tensor

    return torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)


def _drawn_from(python_state: Any, numpy_state: Any) -> str:
    """Return which generators other than torch's have moved on since these were their states."""
    moved = []
    if random.getstate() != python_state:
        moved.append("Python's")
    now = np.random.get_state()
    if any(not np.array_equal(one, other) for one, other in zip(now, numpy_state, strict=True)):
        moved.append("NumPy's")
    return f"it draws from {' and '.join(moved)} random generator" if moved else ""


def _plainly(subject: Subject, seed: int = 0) -> Pass:
    """Return a pass of a fresh module."""
    try:
        plain = run_pass(subject, subject.build(training=True), subject.draw(), seed=seed)
    except Exception as error:
        raise Skip(f"it cannot be run forward and backward in training mode: {one_line(error)}") from None
    if not plain.gradients:
        raise Skip("no output has a gradient")
    return plain


def _rounding(subject: Subject) -> dict[str, float]:
    try:
        return rounding_of(subject, training=True)
    except Exception:  # it does not run in single precision: then the recomputation must agree bit for bit
        return {}


def _checkpointed(subject: Subject, module: nn.Module, inputs: Sequence[Tensor]) -> Any:
    def call(*fed: Tensor) -> Any:
        return subject.call(module, fed)

    return recomputed(call, *inputs, use_reentrant=False, preserve_rng_state=True)


def _state(module: nn.Module) -> dict[str, Any]:
    """Return what forward may change: buffers, and numbers and tensors that are kept as plain attributes."""
    state: dict[str, Any] = {name: buffer.detach().clone() for name, buffer in module.named_buffers()}
    for prefix, part in module.named_modules():
        for name, value in vars(part).items():
            if isinstance(value, bool | int | float):
                state[f"{prefix}.{name}".removeprefix(".")] = value
            elif isinstance(value, Tensor):
                state[f"{prefix}.{name}".removeprefix(".")] = value.detach().clone()
    return state


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=0.0, equal_nan=True)
    return bool(one == other)


def _where_forwards_part(subject: Subject, seed: int) -> Location | None:
    """The first operation that differs between two forwards of one module, torch's generator being restored."""
    module, inputs = subject.build(training=True), [tensor.clone() for tensor in subject.draw()]
    with seeded(seed):
        state = torch.get_rng_state()
        first = trace(lambda: subject.call(module, inputs), keep_values=True)
        torch.set_rng_state(state)
        second = trace(lambda: subject.call(module, inputs), keep_values=True)
    for one, other in zip(first, second, strict=False):
        if one.name != other.name or [t.shape for t in one.values] != [t.shape for t in other.values]:
            return other.location
        if any(not torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one.values, other.values, strict=True)):
            return one.location
    return None
