"""Time: which dimension it is, whether a module claims to be causal, and which inputs its outputs see."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.experiments.influence import (
    Calls,
    Change,
    along,
    beside_huge,
    changed,
    documentation,
    name_words,
    replaced,
    scaled,
)
from verifykit.experiments.observation import Batch, batch_of
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.subject import Subject

# What people call time.
_TIME = r"T|L|S|t|l|seq.*|time.*|.*_?len(gth)?|frames?|steps?|n_ctx|context"
# Arguments and attributes that say that a module is causal; those of an encoder's output, which is seen whole.
_CAUSAL = r"(is_|use_)?causal(_mask(ing)?)?|autoregressive|is_decoder|decoder_only"
_MEMORY = r"memory|context|cond(ition(ing)?)?|encoder_\w+|enc_\w+|cross\w*|h_?0|hx|state|hidden(_state)?"
# Causal in the sense of statistics.
_EFFECTS = {"effect", "effects", "inference", "graph", "forest", "discovery", "treatment", "intervention", "dag", "scm"}
_NO_CLAIM = (
    r"(non|not|anti|bi)[- ]?causal|acausal|optional(ly)?|if |when |may |whether|either"
    r"|causal (effect|inference|graph)"
)
# Long enough that what lies a few strides or dilations back is in sight.
LEAST_LENGTH = 13


@dataclass(frozen=True)
class TimeAxis:
    """A dimension of the inputs that an output has too, at these axes; ``None`` where an input or output lacks it.

    ``symbols`` are those that have to be of one size, where it is free.
    """

    label: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int | None, ...]
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What says that the module is causal, and the arguments to give its forward for it."""

    said_by: str
    extra: Mapping[str, Any]


def causal_claim(subject: Subject) -> Claim | None:
    """Return what claims that ``subject`` is causal: an argument that is true, an attribute, its name, its docstring.

    A constructor argument or attribute that says it is not overrules name and docstring.
    """
    module = subject.build()
    said = {**_constructor_values(subject), **{n: v for n, v in vars(module).items() if type(v) is bool}}
    told = {name: value for name, value in said.items() if re.fullmatch(_CAUSAL, name) and type(value) is bool}
    if told:
        name = next((name for name, value in told.items() if value), None)
        return Claim(f"{name}=True", {}) if name else _by_argument(subject)
    words = name_words(subject)
    text = documentation(subject).strip().partition("\n")[0]
    if not _EFFECTS & set(words):
        joined = "_".join(words)
        found = re.search(r"(?<!non_)(?<!anti_)causal|auto_?regressive|decoder_?only", joined)
        if found:
            return Claim(f"its name, which says {found[0].replace('_', '')!r}", {})
        stated = re.search(r"\b(causal|auto-?regressive|decoder-only)\b", text, re.IGNORECASE)
        if stated and not re.search(_NO_CLAIM, text, re.IGNORECASE):
            return Claim(f"its docstring, which says {stated[0]!r}", {})
    return _by_argument(subject)


def time_axes(subject: Subject) -> list[TimeAxis]:
    """Return the dimensions that may be time: those that are called so, else the free ones beside the batch, else,
    where all sizes are fixed, each of them.
    """
    batch, laws = batch_of(subject), learn_outputs(subject)
    free = [s for s in subject.spec.free if batch is None or s != batch.symbol]
    shapes = [entry.shape for entry in subject.spec.inputs]
    labels = list(dict.fromkeys(d for shape in shapes for d in shape if d in free))
    found = [axis for label in labels if (axis := _axis(subject, str(label), batch)) is not None]
    called = [axis for axis in found if re.fullmatch(_TIME, axis.label)]
    if found or labels:
        return called or found
    first = shapes[0]
    candidates = range(1 if batch is not None and batch.inputs[0] == 0 else 0, len(first))
    return [
        TimeAxis(
            f"dimension {axis}",
            tuple(axis if shape[axis : axis + 1] == (first[axis],) else None for shape in shapes),
            tuple(axis if law.shape[axis : axis + 1] == [first[axis]] else None for law in laws),
        )
        for axis in candidates
        if any(len(law.shape) == len(first) and law.shape[axis] == first[axis] for law in laws)
    ]


class Sight:
    """What the outputs at each time see of the inputs, in one call in eval mode."""

    def __init__(self, subject: Subject, time: TimeAxis, extra: Mapping[str, Any]) -> None:
        self.subject, self.time = subject, time
        self.calls = Calls(subject, extra)
        sizes = {symbol: max(LEAST_LENGTH, subject.spec.usual_sizes[symbol]) for symbol in time.symbols}
        try:
            self.inputs, self.before = self._drawn(sizes)
        except Exception:  # it takes no sequence of that length
            sizes = dict.fromkeys(time.symbols, subject.spec.usual_sizes[time.symbols[0]])
            self.inputs, self.before = self._drawn(sizes)
        self.sizes = sizes
        self.tolerances = self.calls.tolerances(self.inputs)
        self.length = next(t.shape[a] for t, a in zip(self.inputs, time.inputs, strict=True) if a is not None)

    def _drawn(self, sizes: Mapping[str, int]) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        inputs = self.subject.draw(sizes)
        return inputs, self.calls(inputs)

    def moved(self, changed_times: Tensor, factor: float = 1.0, seed: int = 1) -> list[Tensor]:
        """Return the inputs with other values at these times."""
        others = self.subject.draw(self.sizes, seed=seed)
        others = tuple(scaled(self.subject, others, factor)) if factor != 1 else others
        there = [
            None if axis is None else along(t, axis, changed_times)
            for t, axis in zip(self.inputs, self.time.inputs, strict=True)
        ]
        return replaced(self.inputs, others, there)

    def change(self, changed_times: Tensor, watched_times: Tensor, factor: float = 1.0, seed: int = 1) -> Change | None:
        """Return the worst change at the watched times when inputs have other values at the changed ones."""
        after = self.calls(self.moved(changed_times, factor, seed))
        watched = {
            name: along(tensor, axis, watched_times).expand(tensor.shape)
            for (name, tensor), axis in zip(self.before.items(), self.time.outputs, strict=False)
            if axis is not None and tensor.shape[axis] == self.length
        }
        allowed = beside_huge(self.tolerances) if factor != 1 else self.tolerances
        return changed(self.before, after, allowed, watched)

    def from_after(self, time: int, factor: float = 1.0) -> Change | None:
        """Return what changes at and before ``time`` when what comes after it does."""
        times = torch.arange(self.length)
        return self.change(times > time, times <= time, factor)


def leaking_gradient(sight: Sight) -> tuple[str, int, int] | None:
    """Return an output and two times: at the one, it sends a gradient to the inputs at the other, which is later."""
    leaves = [t.clone().requires_grad_(t.is_floating_point()) for t in sight.inputs]
    watched = [(t, a) for t, a in zip(leaves, sight.time.inputs, strict=True) if t.requires_grad and a is not None]
    module = sight.calls.module
    try:
        positional, named = sight.subject.arguments([t.clone() for t in leaves])
        with torch.enable_grad():
            outputs = module(*positional, **named, **sight.calls.extra)
        tensors = [outputs] if isinstance(outputs, Tensor) else [o for o in outputs if isinstance(o, Tensor)]
        axis = sight.time.outputs[0]
        if axis is None or not watched or not tensors[0].requires_grad or tensors[0].shape[axis] != sight.length:
            return None
        for time in range(sight.length - 1):
            row = tensors[0].select(axis, time)
            gradients = torch.autograd.grad(
                row, [t for t, _ in watched], torch.ones_like(row), retain_graph=True, allow_unused=True
            )
            for gradient, (_, at) in zip(gradients, watched, strict=True):
                if gradient is not None and (later := _first_later(gradient, at, time)) is not None:
                    return next(iter(sight.before)), time, later
    except Exception:  # no gradient, or a backward that raises: other checks tell
        return None
    return None


def _first_later(gradient: Tensor, axis: int, time: int) -> int | None:
    sizes = gradient.abs().movedim(axis, 0).flatten(1).amax(1)
    allowed = 1024 * torch.finfo(torch.float64).eps * float(sizes.max())
    later = (sizes[time + 1 :] > allowed).nonzero()
    return time + 1 + int(later[0]) if len(later) else None


def _axis(subject: Subject, label: str, batch: Batch | None) -> TimeAxis | None:
    entries, laws = subject.spec.inputs, learn_outputs(subject)
    outputs = tuple(list(law.shape).index(label) if law.shape.count(label) == 1 else None for law in laws)
    if all(axis is None for axis in outputs):
        return None
    inputs, joined = list[int | None](), [label]
    for entry in entries:
        own = entry.shape.index(label) if label in entry.shape else None
        other = _attended(entry, label, batch, subject)
        if own is None and other is not None:
            joined.append(str(entry.shape[other]))
        inputs.append(None if re.fullmatch(_MEMORY, entry.name) else own if own is not None else other)
    if all(axis is None for axis in inputs):
        return None
    return TimeAxis(label, tuple(inputs), outputs, tuple(dict.fromkeys(joined)))


def _attended(entry: InputSpec, label: str, batch: Batch | None, subject: Subject) -> int | None:
    """The axis of keys and values, which may have a length of their own, and in causal attention have the queries'."""
    if not re.fullmatch(r"keys?|values?|k|v", entry.name) or label in entry.shape:
        return None
    own = [i for i, d in enumerate(entry.shape) if d in subject.spec.free and (batch is None or d != batch.symbol)]
    return own[0] if len(own) == 1 else None


def _constructor_values(subject: Subject) -> dict[str, Any]:
    obj = subject.target.obj
    try:
        parameters = inspect.signature(obj).parameters if isinstance(obj, type) or callable(obj) else {}
    except (TypeError, ValueError):
        parameters = {}
    is_made = not isinstance(obj, nn.Module)
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty} if is_made else {}
    return {**defaults, **subject.spec.init}


def _by_argument(subject: Subject) -> Claim | None:
    """An argument of forward that makes it causal; beside a mask it may only describe that mask, as in torch."""
    try:
        parameters = list(inspect.signature(subject.build().forward).parameters.values())
    except (TypeError, ValueError):
        return None
    named = [p for p in parameters if re.fullmatch(_CAUSAL, p.name) and type(p.default) is bool]
    if not named:
        return None
    claim, inputs = Claim(f"{named[0].name}=True", {named[0].name: True}), subject.draw()
    try:
        plain, told = Calls(subject, {named[0].name: False}), Calls(subject, claim.extra)
        has_effect = changed(plain(inputs), told(inputs), plain.tolerances(inputs)) is not None
    except Exception:  # it asks for more, such as the mask that the flag describes
        return None
    return claim if has_effect or not any("mask" in p.name for p in parameters) else None
