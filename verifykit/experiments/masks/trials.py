"""One mask in one encoding, and what the outputs see of what it hides."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from verifykit.experiments.influence import Calls, Change, along, beside_huge, changed, replaced, scaled
from verifykit.experiments.masks.arguments import TRUE_KEEPS, MaskArgument, data_inputs
from verifykit.experiments.observation import batch_of
from verifykit.spec.dims import Dim
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import UNKNOWN, learn_outputs


@dataclass(frozen=True)
class Encoding:
    """What stands in a mask for hidden and for visible."""

    dtype: torch.dtype
    drop: float
    keep: float

    @property
    def words(self) -> str:
        """How a message tells it."""
        if self.dtype == torch.bool:
            return f"{bool(self.drop)} hides"
        return f"{self.drop:g} hides"


@dataclass(frozen=True, eq=False)
class Trial:
    """One mask in one encoding, whose first lengths of each sample are visible, and the inputs it is for."""

    argument: MaskArgument
    encoding: Encoding | None
    inputs: tuple[Tensor, ...]
    extra: Mapping[str, Any]
    visible: Tensor  # (samples, positions)
    companions: tuple[MaskArgument, ...] = ()


class Masked:
    """A subject with one of its mask arguments."""

    def __init__(self, calls: Calls, argument: MaskArgument) -> None:
        self.calls, self.subject, self.argument = calls, calls.subject, argument
        subject = self.subject
        batch = batch_of(subject)
        self.batch = None if batch is None or argument.covers == batch.symbol else batch
        self.entries = subject.spec.inputs
        self.laws = learn_outputs(subject)
        self.size = self._size_of(argument.covers, {})
        self.samples = subject.spec.usual_sizes[self.batch.symbol] if self.batch else 1
        self._known = dict[Trial, tuple[dict[str, Tensor], dict[str, float]]]()

    @cached_property
    def lengths(self) -> list[int]:
        """How many positions of each sample are visible: different ones, each at least two, none all."""
        if self.argument.kind == "attention":
            return [max(self.size - 2, 1)] * self.samples
        return [max(self.size - 1 - i % max(self.size - 2, 1), min(2, self.size - 1)) for i in range(self.samples)]

    def encodings(self) -> list[Encoding | None]:
        """Return the ways to fill it in that its dtype allows."""
        if self.argument.kind == "lengths":
            return [None]
        found = list[Encoding | None]()
        for dtype in self.argument.dtypes:
            if dtype == "bool":
                first = re.fullmatch(TRUE_KEEPS, self.argument.name) is None
                found += [Encoding(torch.bool, float(first), float(not first)),
                          Encoding(torch.bool, float(not first), float(first))]  # fmt: skip
            elif dtype == "long":
                found += [Encoding(torch.long, 0, 1), Encoding(torch.long, 1, 0)]
            else:
                found += [Encoding(torch.float64, 0, 1), Encoding(torch.float64, 1, 0)]
                if dtype == "real":
                    found += [Encoding(torch.float64, -torch.inf, 0), Encoding(torch.float64, -1e9, 0)]
        return found

    def trial(
        self,
        encoding: Encoding | None,
        lengths: Sequence[int],
        sizes: Mapping[str, int] | None = None,
        companions: tuple[MaskArgument, ...] = (),
    ) -> Trial:
        """Return the inputs and the mask, and others that cover the same, that hide what comes after so many positions
        of each sample.
        """
        inputs, extra = list(self.subject.draw(sizes)), dict[str, Any]()
        size = self._size_of(self.argument.covers, sizes or {})
        visible = torch.arange(size) < torch.tensor(lengths)[:, None]
        for argument in (self.argument, *companions):
            value = self._value(argument, encoding, visible, sizes or {}).to(self.subject.device)
            if argument.optional:
                extra[argument.name] = value
            else:
                inputs[self.subject.input_names.index(argument.name)] = value
        return Trial(self.argument, encoding, tuple(inputs), extra, visible, companions)

    def run(self, trial: Trial, inputs: Sequence[Tensor] | None = None) -> dict[str, Tensor]:
        """Call the module; what it raises passes through."""
        return self.calls(trial.inputs if inputs is None else inputs, trial.extra)

    def plain(self, trial: Trial) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Return the outputs of a trial, and what rounding may change of each; computed once."""
        if trial not in self._known:
            self._known[trial] = self.run(trial), self.calls.tolerances(trial.inputs, trial.extra)
        return self._known[trial]

    def moved(self, trial: Trial, where: Tensor, *, seed: int = 1, factor: float = 1.0) -> list[Tensor]:
        """Return the inputs with other values at the positions ``where`` (samples, positions), the mask as it was."""
        sizes = {self.argument.covers: where.shape[1]} if isinstance(self.argument.covers, str) else {}
        free = {str(k): v for k, v in sizes.items() if k in self.subject.spec.free}
        others = list(self.subject.draw(free, seed=seed))
        others = scaled(self.subject, others, factor) if factor != 1 else others
        chosen = [self._spread(t, e, where) for t, e in zip(trial.inputs, self.entries, strict=True)]
        return replaced(trial.inputs, others, chosen)

    def change(
        self, trial: Trial, where: Tensor, watched: Tensor | None, *, seed: int = 1, factor: float = 1.0
    ) -> Change | None:
        """Return the worst change of the outputs at the ``watched`` positions (all, and what has none, otherwise)."""
        before, tolerances = self.plain(trial)
        try:
            after = self.run(trial, self.moved(trial, where, seed=seed, factor=factor))
        except Exception:
            if factor == 1:
                raise
            return None  # such values it refuses
        masks = None if watched is None else self.watched(before, watched)
        return changed(before, after, tolerances if factor == 1 else beside_huge(tolerances), masks)

    def watched(self, outputs: Mapping[str, Tensor], positions: Tensor) -> dict[str, Tensor]:
        """Return which elements of the outputs belong to ``positions`` (samples, positions), or to none."""
        chosen = dict[str, Tensor]()
        for (name, tensor), law in zip(outputs.items(), self.laws, strict=False):
            here = torch.ones(tensor.shape, dtype=torch.bool)
            for axis, dim in enumerate(law.shape[: tensor.ndim]):
                unknown = dim == UNKNOWN and tensor.shape[axis] in (self.size, max(self.lengths))
                if (dim == self.argument.covers or unknown) and tensor.shape[axis] <= positions.shape[1]:
                    at = positions[:, : tensor.shape[axis]]
                    here &= self._placed(tensor, axis, at, self._batch_axis(law.shape))
            chosen[name] = here
        return chosen

    def covered(self) -> list[InputSpec]:
        """Return the inputs whose elements the mask hides."""
        return [e for e in data_inputs(self.subject, self.argument.name) if self.argument.covers in e.shape]

    def _spread(self, tensor: Tensor, entry: InputSpec, where: Tensor) -> Tensor | None:
        if entry not in self.covered():
            return None
        here = torch.zeros(tensor.shape, dtype=torch.bool)
        for axis, dim in enumerate(entry.shape):
            if dim == self.argument.covers:
                here |= self._placed(tensor, axis, where, self._batch_axis(entry.shape))
                break
        return here

    def _placed(self, tensor: Tensor, axis: int, where: Tensor, batch_axis: int | None) -> Tensor:
        if batch_axis is None or batch_axis == axis:
            return along(tensor, axis, where.all(0)).expand(tensor.shape)
        shape = [1] * tensor.ndim
        shape[batch_axis], shape[axis] = where.shape
        return (where if batch_axis < axis else where.T).reshape(shape).expand(tensor.shape)

    def _batch_axis(self, shape: Sequence[Dim]) -> int | None:
        return list(shape).index(self.batch.symbol) if self.batch and self.batch.symbol in shape else None

    def _size_of(self, dim: Dim, sizes: Mapping[str, int]) -> int:
        known = {**self.subject.spec.bound, **self.subject.spec.usual_sizes, **sizes}
        return known[dim] if isinstance(dim, str) else dim

    def _value(
        self, argument: MaskArgument, encoding: Encoding | None, visible: Tensor, sizes: Mapping[str, int]
    ) -> Tensor:
        if encoding is None or argument.kind == "lengths":
            return visible.sum(1)
        shape = tuple(self._size_of(d, sizes) for d in argument.shape)
        keep = torch.ones(shape, dtype=torch.bool)
        axis = len(shape) - 1 - list(argument.shape)[::-1].index(argument.covers)
        keep &= self._placed(keep, axis, visible, self._batch_axis(argument.shape))
        return torch.where(keep, encoding.keep, encoding.drop).to(encoding.dtype)


def working(calls: Calls, options: Sequence[MaskArgument]) -> Iterator[tuple[Masked, Trial]]:
    """Yield the shapes and encodings that the module takes, and that give numbers where something is visible."""
    for argument in options:
        masked = Masked(calls, argument)
        if masked.size < 3 or not masked.covered():
            continue
        for encoding in masked.encodings():
            trial = masked.trial(encoding, masked.lengths)
            try:
                outputs = masked.run(trial)
            except Exception:  # not a mask that it takes
                continue
            watched = masked.watched(outputs, trial.visible)
            seen = [t[watched[n].to(t.device)] for n, t in outputs.items() if n in watched and t.is_floating_point()]
            if all(t.isfinite().all() for t in seen):
                yield masked, trial


def joint(masked: Masked, trial: Trial, others: Sequence[Sequence[MaskArgument]]) -> Iterator[Trial]:
    """Yield the trial with the other masks that cover the same positions: each may close one path of several."""
    companions = tuple[MaskArgument, ...]()
    for options in others:
        for argument in options:
            more = (*companions, argument)
            if argument.covers != masked.argument.covers:
                continue
            try:
                masked.run(masked.trial(trial.encoding, trial.visible.sum(1).tolist(), None, more))
            except Exception:  # not a mask that it takes
                continue
            companions = more
            break
    if companions:
        yield masked.trial(trial.encoding, trial.visible.sum(1).tolist(), None, companions)


def has_effect(masked: Masked, trial: Trial) -> bool:
    """Whether hiding more, or less, changes anything."""
    fewer = [max(n - 1, 1) for n in masked.lengths]
    before, tolerances = masked.plain(trial)
    return any(
        changed(before, masked.run(masked.trial(trial.encoding, lengths)), tolerances) is not None
        for lengths in (fewer, [masked.size] * masked.samples)
    )


def leak_of(masked: Masked, trial: Trial) -> Change | None:
    """Return the worst change of what is visible when what is hidden changes."""
    found = [masked.change(trial, ~trial.visible, trial.visible, seed=seed) for seed in (1, 2)]
    return max((c for c in found if c), key=lambda change: change.difference.error, default=None)
