"""The contract that a module keeps over sizes: which it takes, and the law that its output shapes follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch

from verifykit.results import Location, OutputFacts
from verifykit.spec.outputs import UNKNOWN, Shapes, observe, predict
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import trace

# Every small size, then some around powers of two and ten, where tables and buffers end.
SCANNED = (*range(1, 34), 48, 64, 65, 100, 101, 129)
# A selection of them, for modules so large that a call takes long.
SELECTED = (*range(1, 10), 12, 13, 16, 17, 32, 33, 65, 129)
LARGE = 20_000  # elements of parameters and inputs
# Inputs with more elements than this are not tried: a check may take no more than a moment.
MOST_ELEMENTS = 100_000


class WrongShape(Exception):
    """The outputs are not those that the law predicts; ``ranks`` says whether a dimension is lost or added, ``axes``
    which output and which of its dimensions are wrong.
    """

    def __init__(self, message: str, axes: Sequence[tuple[int, int]] = (), *, ranks: bool = False) -> None:
        super().__init__(message)
        self.axes = tuple(axes)
        self.ranks = ranks


@dataclass(frozen=True)
class Scan:
    """What happens as one symbol is varied: the sizes that follow the law, those that break it, those that raise."""

    symbol: str
    following: list[int] = field(default_factory=list)
    breaking: dict[int, WrongShape] = field(default_factory=dict)
    raising: dict[int, Exception] = field(default_factory=dict)

    @property
    def taken(self) -> list[int]:
        """The sizes that do not raise."""
        return sorted([*self.following, *self.breaking])

    @property
    def within(self) -> list[int]:
        """The sizes that raise although smaller and larger ones do not."""
        taken = self.taken
        return [size for size in self.raising if taken and taken[0] < size < taken[-1]]


class Contract:
    """The laws ``outputs`` held against what one module of ``subject`` gives, call after call."""

    def __init__(self, subject: Subject, outputs: list[OutputFacts]) -> None:
        self.subject = subject
        self.outputs = outputs
        self.module = subject.build()

    def hold(self, sizes: Mapping[str, int], *, fresh: bool = False) -> None:
        """Raise :class:`WrongShape` where the outputs at ``sizes`` break the law; other exceptions pass through.

        Without ``fresh`` the module is the one that all earlier calls were made on.
        """
        compare(self.outputs, self._shapes(sizes, fresh), {**self.subject.spec.bound, **sizes}, self.laws)

    def scan(self, symbol: str, least: int) -> Scan:
        """Vary ``symbol`` alone from ``least`` on, the others at their usual sizes."""
        found = Scan(symbol)
        for size in SCANNED if self.subject.elements <= LARGE else SELECTED:
            sizes = {**self.subject.spec.usual_sizes, symbol: size}
            if size < least or elements_of(self.subject, sizes) > MOST_ELEMENTS:
                continue
            try:
                self.hold(sizes)
            except WrongShape as wrong:
                found.breaking[size] = wrong
            except Exception as error:
                found.raising[size] = error
            else:
                found.following.append(size)
        return found

    @property
    def laws(self) -> str:
        """The laws as people write them."""
        return ", ".join(f"[{', '.join(map(str, output.shape))}]" for output in self.outputs)

    @property
    def is_partial(self) -> bool:
        """Whether no law was found for some dimension."""
        return any(UNKNOWN in output.shape for output in self.outputs)

    def _shapes(self, sizes: Mapping[str, int], fresh: bool) -> Shapes:
        subject = self.subject
        module = subject.build() if fresh else self.module
        with torch.no_grad(), seeded(subject.seed):
            tensors = named_tensors(subject.call(module, subject.draw(sizes)))
        return [("", tuple(tensor.shape)) for tensor in tensors.values()]


def compare(outputs: list[OutputFacts], seen: Shapes, known: Mapping[str, int], laws: str) -> None:
    """Raise :class:`WrongShape` where the shapes ``seen`` are not those that the laws give at the sizes ``known``."""
    predicted = [predict(output, known) for output in outputs]
    if len(seen) != len(predicted):
        raise WrongShape(f"the module returns {len(seen)} tensors where it usually returns {len(predicted)}")
    for index, ((_, shape), law) in enumerate(zip(seen, predicted, strict=True)):
        axes = [
            (index, axis) for axis, (size, want) in enumerate(zip(shape, law, strict=False)) if want not in (None, size)
        ]
        if len(shape) != len(law) or axes:
            name = "the output" if len(seen) == 1 else f"output {index}"
            wanted = ", ".join("?" if size is None else str(size) for size in law)
            message = f"{name} has shape {list(shape)} where [{wanted}] was predicted by {laws}"
            raise WrongShape(message, axes, ranks=len(shape) != len(law))


def elements_of(subject: Subject, sizes: Mapping[str, int]) -> int:
    """Return how many elements the inputs have together at ``sizes``."""
    return sum(torch.Size(subject.spec.shape(entry, sizes)).numel() for entry in subject.spec.inputs)


def evidence_of(subject: Subject, sizes: Mapping[str, int]) -> dict[str, object]:
    """Return the sizes and the input shapes that they make."""
    fed = {entry.name: list(subject.spec.shape(entry, sizes)) for entry in subject.spec.inputs}
    return {"sizes": dict(sizes), "input shapes": fed}


def where_it_parts(subject: Subject, sizes: Mapping[str, int]) -> Location | None:
    """Return the first operation that gives another number of dimensions at ``sizes`` than at the usual ones."""
    usual, odd = (trace(partial(observe, subject, each)) for each in (subject.spec.usual_sizes, sizes))
    for one, other in zip(usual, odd, strict=False):
        if one.name != other.name or [t.ndim for t in one.outputs] != [t.ndim for t in other.outputs]:
            return other.location
    return None
