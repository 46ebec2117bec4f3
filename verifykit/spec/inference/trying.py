"""One attempt to call a module, and what its complaint says about the shapes that it was given."""

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below, Boolean, Interval, Real
from verifykit.spec.model import InputSpec, Spec
from verifykit.spec.randomness import seeded
from verifykit.spec.sampling import sample
from verifykit.spec.subject import named_tensors

Entries = tuple[InputSpec, ...]


@dataclass(frozen=True)
class Outcome:
    """What a call gave: the tensors, by where they stand in the output, or what it raised."""

    outputs: dict[str, Tensor]
    error: Exception | None = None

    @property
    def works(self) -> bool:
        """Whether there is an output that is a tensor of numbers, all of them finite."""
        floating = [t for t in self.outputs.values() if t.is_floating_point() or t.is_complex()]
        return self.error is None and bool(floating) and all(bool(t.isfinite().all()) for t in floating)


@dataclass(frozen=True)
class Caller:
    """Calls a module with inputs drawn from entries, by name; constructor arguments may stand in their shapes.

    ``fresh`` makes another of a module that takes its sizes from its first call.
    """

    module: nn.Module
    init: Mapping[str, Any]
    seed: int
    positional: bool = False
    fresh: Callable[[], nn.Module] | None = None

    def __call__(self, entries: Entries, sizes: Mapping[str, int] | None = None) -> Outcome:
        spec = Spec(self.init, entries)
        known = {**spec.bound, **spec.usual_sizes, **(sizes or {})}
        generator = torch.Generator().manual_seed(self.seed)
        try:
            values = [sample(e, spec.shape(e, known), known, torch.float64, generator) for e in entries]
            module = self.fresh() if self.fresh else self.module
            with quietly(self.seed), torch.no_grad():
                if self.positional:
                    result = module(*values)
                else:
                    result = module(**{e.name: v for e, v in zip(entries, values, strict=True)})
            return Outcome(named_tensors(result))
        except Exception as error:
            return Outcome({}, error)


@contextlib.contextmanager
def quietly(seed: int) -> Iterator[None]:
    """Nothing printed, no warning shown, the random state as before."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), seeded(seed):
        warnings.simplefilter("ignore")
        yield


def repaired(entries: Entries, spec: Spec, error: Exception) -> Iterator[Entries]:
    """Entries changed as the complaint suggests: a size that it names replaced by another that it names, another number
    of dimensions, another dtype, another range.
    """
    told = str(error)
    yield from _other_types(entries, told)
    yield from _other_ranks(entries, told)
    yield from _other_sizes(entries, spec, told)


def _other_types(entries: Entries, told: str) -> Iterator[Entries]:
    wants_long = re.search(
        r"expected.*(Long|Int|int64|scalar type Long)|must be integer|tensors used as indices must be|long or int"
        r"|got \w*(Float|Double)|'torch\.(Double|Float)Tensor'",
        told,
    )
    for index, entry in enumerate(entries):
        if wants_long and entry.dtype == "float":
            yield _with(entries, index, replace(entry, dtype="long", domain=Below(2)))
        if entry.dtype == "long" and re.search(r"(expected|required).*(Float|Double|floating)", told):
            yield _with(entries, index, replace(entry, dtype="float", domain=Real()))
        if isinstance(entry.domain, Real) and entry.dtype == "float":
            if re.search(r"between 0 and 1|in \[0, ?1\]|>= 0 and <= 1|probabilit", told):
                yield _with(entries, index, replace(entry, domain=Interval(0.0, 1.0, True, True)))
            if re.search(r"positive|non-?negative|greater than (or equal to )?0|negative entry", told):
                yield _with(entries, index, replace(entry, domain=Interval(0.0, float("inf"), False, False)))
        if re.search(r"bool", told) and entry.dtype == "float":
            yield _with(entries, index, replace(entry, dtype="bool", domain=Boolean()))


def _other_ranks(entries: Entries, told: str) -> Iterator[Entries]:
    for number in re.findall(r"(\d)[- ]?D|(\d) dim|(\d)-dim|expected (\d)\b|unpack \(expected (\d)", told):
        rank = int(next(filter(None, number)))
        for index, entry in enumerate(entries):
            if entry.dtype == "float" and len(entry.shape) != rank and 0 < rank <= 5:
                fresh: list[Dim] = [s for s in ("N", "L", "H", "W", "D") if s not in entry.shape]
                shape = (*entry.shape, *fresh)[:rank]
                yield _with(entries, index, replace(entry, shape=shape))


def _other_sizes(entries: Entries, spec: Spec, told: str) -> Iterator[Entries]:
    known = {**spec.bound, **spec.usual_sizes}
    numbers = list(dict.fromkeys(int(n) for n in re.findall(r"(?<![\d.\-])\d{1,4}(?![\d.]\d)", told)))
    ours = [
        (index, axis, size)
        for index, entry in enumerate(entries)
        for axis, size in enumerate(spec.shape(entry, known))
        if size in numbers
    ]
    for index, axis, size in reversed(ours):
        for number in numbers:
            if number != size and 0 < number <= 4096:
                shape = list(entries[index].shape)
                shape[axis] = number
                yield _with(entries, index, replace(entries[index], shape=tuple(shape)))


def _with(entries: Entries, index: int, entry: InputSpec) -> Entries:
    return (*entries[:index], entry, *entries[index + 1 :])


def usual(init: Mapping[str, Any], entries: Sequence[InputSpec]) -> dict[str, int]:
    """Sizes of all symbols at the usual sizes."""
    spec = Spec(init, tuple(entries))
    return {**spec.bound, **spec.usual_sizes}
