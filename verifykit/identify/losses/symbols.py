"""What terms are built from: inputs and parameters as a person would write them, and the numbers of the module."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from verifykit.identify.definitions.found_numbers import FoundNumbers, numbers_of
from verifykit.identify.losses.function import OWN, LossFunction, Point, Values

# Names up to this length are written in full.
SHORT = 6


@dataclass(frozen=True)
class Expression:
    """A tensor made of inputs: ``text`` as it stands alone, ``atom`` as it stands in a product or under a power."""

    text: str
    atom: str
    of: Callable[[Values], Tensor]


@dataclass(frozen=True)
class Symbols:
    """The tensors of a loss at one point, how each is written, and the numbers that the module is written with."""

    label: str
    values: Values
    written: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    reals: tuple[str, ...]
    parameters: tuple[str, ...]
    others: tuple[str, ...]
    found: FoundNumbers
    tensors: tuple[Tensor, ...]

    def expression(self, name: str) -> Expression:
        """Return the input called ``name``."""
        return Expression(self.written[name], self.written[name], lambda values: values[name])

    def difference(self, one: str, other: str) -> Expression:
        """Return one input less another."""
        text = f"{self.written[one]} - {self.written[other]}"
        return Expression(text, f"({text})", lambda values: values[one] - values[other])

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the pairs of real inputs of one shape, each once."""
        yield from (
            (one, other) for one, other in combinations(self.reals, 2) if self.shapes[one] == self.shapes[other]
        )

    def labelled(self) -> Iterator[tuple[str, str, int]]:
        """Yield a real input, integers that may be its classes, and the dimension that these count: the first of the
        shape's dimensions without which the integers have the same shape, the second and the last are looked at.
        """
        for name in self.reals:
            shape = self.shapes[name]
            for other in self.others:
                for axis in dict.fromkeys((1, len(shape) - 1)):
                    if 0 < axis < len(shape) and (*shape[:axis], *shape[axis + 1 :]) == self.shapes[other]:
                        yield name, other, axis
                        break

    def numbers(self, low: float, high: float, *usual: float) -> list[float]:
        """Return what an argument between ``low`` and ``high`` may be: its usual values, then those of the module."""
        own = [*self.found.named.values(), *self.found.loose]
        return list(dict.fromkeys([*usual, *(value for value in own if low < value < high)]))[: len(usual) + 6]

    def is_written(self, value: float) -> bool:
        """Whether the module is written with this number."""
        return value in self.found.named.values() or value in self.found.loose


def symbols_of(function: LossFunction, point: Point) -> Symbols:
    """Return the symbols of a loss whose tensors are those of ``point``."""
    names = [name for name in point.values if not name.startswith(OWN)]
    parameters = tuple(name for name in point.values if name.startswith(OWN))
    reals = tuple(name for name in names if point.values[name].is_floating_point())
    tensors = [*function.facts.state.values(), *vars(function.facts.module).values()]
    return Symbols(
        function.subject.target.label,
        {name: tensor.detach() for name, tensor in point.values.items()},
        {**_written(names), **{name: name for name in parameters}},
        {name: tuple(tensor.shape) for name, tensor in point.values.items()},
        reals,
        parameters,
        tuple(name for name in names if name not in reals and not point.values[name].is_complex()),
        numbers_of(function.facts),
        tuple(tensor.detach() for tensor in tensors if isinstance(tensor, Tensor) and tensor.ndim == 1),
    )


def _written(names: list[str]) -> dict[str, str]:
    """Short names in full, long ones by their first letters, where these differ."""
    letters = [name[0].lower() for name in names]
    if all(len(name) <= SHORT for name in names) or len(set(letters)) < len(names):
        return {name: name for name in names}
    return dict(zip(names, letters, strict=True))


def as_real(tensor: Tensor) -> Tensor:
    """Return ``tensor`` in double precision where it holds integers or booleans."""
    return tensor if tensor.is_floating_point() else tensor.to(torch.float64)
