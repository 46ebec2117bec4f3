"""What a part of the inputs does to the outputs: calls with parts replaced, compared up to rounding."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.results import Location
from verifykit.spec.domain import Real
from verifykit.spec.model import InputSpec
from verifykit.spec.randomness import seeded
from verifykit.spec.sampling import COMPLEX_OF
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import Step, trace

# What no everyday value comes near, and double precision still holds beside one. What shows only then is weak.
HUGE = 1e6
# Where a module does not run in single precision, its rounding error is taken to be this many units of the greatest.
UNSEEN_ROUNDING = 512


@dataclass(frozen=True)
class Change:
    """An element of an output that changed although it should not have."""

    output: str
    index: tuple[int, ...]
    difference: Difference

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers, as a finding shows them."""
        return {
            "output": self.output,
            "element": list(self.index),
            "before": self.difference.expected,
            "after": self.difference.actual,
            "changed by": self.difference.error,
            "rounding allows": self.difference.tolerance,
        }


class Calls:
    """Calls of a subject in eval mode, each on a fresh copy of its inputs and under one seed, on one module."""

    def __init__(self, subject: Subject, extra: Mapping[str, Any] | None = None, *, training: bool = False) -> None:
        self.subject, self.extra, self.training = subject, dict(extra or {}), training
        self.module = subject.build(training=training)

    def __call__(self, inputs: Sequence[Tensor], extra: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
        """Return the outputs by place; what the module raises passes through."""
        return self._run(self.module, inputs, {**self.extra, **(extra or {})})

    def tolerances(self, inputs: Sequence[Tensor], extra: Mapping[str, Any] | None = None) -> dict[str, float]:
        """Return what rounding may change of each output, seen by calling the module in single precision too."""
        double = self(inputs, extra)
        try:
            narrow = {name: _single(value) for name, value in {**self.extra, **(extra or {})}.items()}
            single = self._run(self._single_module, [_single(t) for t in inputs], narrow)
        except Exception:  # it has constants of its own precision: that is for other checks to say
            single = {}
        return {name: _tolerance(value, single.get(name)) for name, value in double.items()}

    @cached_property
    def _single_module(self) -> nn.Module:
        return self.subject.build(torch.float32, training=self.training)

    def _run(self, module: nn.Module, inputs: Sequence[Tensor], extra: Mapping[str, Any]) -> dict[str, Tensor]:
        positional, named = self.subject.arguments([t.clone() for t in inputs])
        copies = {name: v.clone() if isinstance(v, Tensor) else v for name, v in extra.items()}
        with torch.no_grad(), seeded(self.subject.seed):
            found = named_tensors(module(*positional, **named, **copies))
            return {name: _plain(tensor).detach().clone() for name, tensor in found.items()}


def changed(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    tolerances: Mapping[str, float],
    watched: Mapping[str, Tensor] | None = None,
) -> Change | None:
    """Return the worst change beyond rounding among the elements that are ``watched`` (all where that is not given).

    Outputs of another size are compared where both have elements.
    """
    found = list(_changes(before, after, tolerances, watched))
    return max(found, key=lambda change: change.difference.excess, default=None)


def _changes(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    tolerances: Mapping[str, float],
    watched: Mapping[str, Tensor] | None,
) -> Iterator[Change]:
    for name, old in before.items():
        new = after.get(name)
        if new is None or new.ndim != old.ndim or (watched is not None and name not in watched):
            continue
        common = tuple(slice(0, min(sizes)) for sizes in zip(old.shape, new.shape, strict=True))
        one, other = old[common], new[common]
        if watched is not None:
            other = torch.where(watched[name][common].to(one.device), other, one)
        difference = worst_difference(other.to(old.dtype), one, tolerances.get(name, 0.0))
        if difference is not None and difference.excess > 1:
            yield Change(name, difference.index, difference)


def replaced(inputs: Sequence[Tensor], others: Sequence[Tensor], where: Sequence[Tensor | None]) -> list[Tensor]:
    """Return ``inputs`` with the elements of ``others`` where ``where``, broadcast to each input, is true."""
    return [
        one if chosen is None else torch.where(chosen.to(one.device).expand(one.shape), other, one)
        for one, other, chosen in zip(inputs, others, where, strict=True)
    ]


def along(tensor: Tensor, axis: int, chosen: Tensor) -> Tensor:
    """Return ``chosen``, one truth value per index of ``axis``, in a shape that broadcasts against ``tensor``."""
    return chosen.view([-1 if i == axis else 1 for i in range(tensor.ndim)])


def scaled(subject: Subject, inputs: Sequence[Tensor], factor: float) -> list[Tensor]:
    """Return ``inputs`` times ``factor`` where any real or complex number is in the domain; the others as they are."""
    entries = subject.spec.inputs
    return [t * factor if takes_any_number(e) else t for e, t in zip(entries, inputs, strict=True)]


def takes_any_number(entry: InputSpec) -> bool:
    """Whether any real or complex number may be fed to it."""
    return isinstance(entry.domain, Real) and entry.dtype in ("float", "complex")


def documentation(subject: Subject) -> str:
    """Return the docstrings of the target's class or function and of its forward, its own or the nearest inherited."""
    classes = _own_classes(subject)
    if not classes:
        return inspect.getdoc(subject.target.obj) or ""
    texts = [next((text for c in classes if (text := vars(c).get("__doc__"))), "")]
    texts.append(next((f.__doc__ for c in classes if (f := vars(c).get("forward")) is not None), "") or "")
    return "\n".join(text for text in texts if isinstance(text, str))


def name_words(subject: Subject) -> list[str]:
    """Return the words of the target's name and of those that it is derived from, in lower case: ``causal``, ``conv1d``
    for ``CausalConv1d``.
    """
    names = [c.__name__ for c in _own_classes(subject)] or [getattr(subject.target.obj, "__name__", "")]
    return [w.lower() for name in names for w in re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+(?:\d+[dD]?)?", name)]


def _own_classes(subject: Subject) -> list[type]:
    """The target's class and those that it is derived from, without torch's own, nearest first; none for a function."""
    obj = subject.target.obj
    if inspect.isroutine(obj):
        return []
    made = obj if isinstance(obj, type) else type(obj)
    bases = [c for c in made.__mro__[1:] if c is not object and not c.__module__.startswith("torch.")]
    return [made, *bases]


def where_they_part(
    subject: Subject,
    one: Sequence[Tensor],
    other: Sequence[Tensor],
    agrees: Callable[[Tensor, Tensor], bool],
    extra: Mapping[str, Any] | None = None,
) -> Location | None:
    """Return the line of the first operation whose values in the two calls ``agrees`` refuses."""

    def steps(inputs: Sequence[Tensor]) -> list[Step]:
        calls = Calls(subject, extra)
        return trace(lambda: calls(inputs), keep_values=True)

    for first, second in zip(steps(one), steps(other), strict=False):
        if first.name != second.name:
            return None
        pairs = zip(first.values, second.values, strict=False)
        if any(a.shape == b.shape and a.is_floating_point() and not agrees(a, b) for a, b in pairs):
            return second.location or first.location
    return None


def _tolerance(double: Tensor, single: Tensor | None) -> float:
    if not (double.is_floating_point() or double.is_complex()):
        return 0.0
    if single is not None and single.shape == double.shape:
        return rounding_tolerance(double, single, torch.float64)
    finite = double.abs()[double.isfinite()]
    return torch.finfo(torch.float64).eps * UNSEEN_ROUNDING * float(finite.max()) if finite.numel() else 0.0


def _plain(tensor: Tensor) -> Tensor:
    """As a tensor that can be compared: sparse and quantised ones spelled out."""
    if tensor.is_quantized:
        return tensor.dequantize()
    return tensor if tensor.layout == torch.strided else tensor.to_dense()


def says_nothing(outputs: Mapping[str, Tensor]) -> bool:
    """Return whether no element of the outputs is a finite number, so that no change of one could be seen."""
    return not any(bool(tensor.isfinite().any()) for tensor in outputs.values() if tensor.numel()) and any(
        tensor.numel() for tensor in outputs.values()
    )


def beside_huge(tolerances: Mapping[str, float]) -> dict[str, float]:
    """Return the tolerances where inputs are huge: an operation rounds in proportion to its greatest operand."""
    return {name: tolerance * HUGE for name, tolerance in tolerances.items()}


def _single(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.is_complex():
        return value.to(COMPLEX_OF[torch.float32])
    return value.float() if value.is_floating_point() else value
