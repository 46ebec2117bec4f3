"""Parts of a loss in which some terms cancel, known or not, so that the others can be told exactly."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from verifykit.identify.losses.columns import Column, evaluated
from verifykit.identify.losses.field import Field
from verifykit.identify.losses.function import LossFunction, Point, Values
from verifykit.identify.losses.system import System


@dataclass(frozen=True)
class View:
    """Some entries of the gradient, picked by ``mask``, less the same at a ``partner`` point, where there is one."""

    mask: Callable[[Point], Tensor]
    partner: Callable[[Point], Point] | None = None
    pointwise: bool = True

    def point(self, point: Point) -> Point:
        """Return what is seen of the loss at ``point``."""
        mask = self.mask(point)
        if self.partner is None:
            return replace(point, gradient=point.gradient[mask])
        other = self.partner(point)
        return replace(point, total=point.total - other.total, gradient=(point.gradient - other.gradient)[mask])

    def columns(self, of: Field, points: Sequence[Point]) -> tuple[Column, ...] | None:
        """Return what is seen of a field at ``points``."""
        return self._seen(evaluated(of, points), of, points)

    def system(self, system: System, points: Sequence[Point]) -> System:
        """Return the equations for what is seen, ``points``, of the loss; fields that cancel are left out."""
        kept: list[tuple[Field, tuple[Column, ...]]] = []
        for field, columns in zip(system.fields, system.columns, strict=True):
            if field.pointwise and not self.pointwise:
                continue
            seen = self._seen(columns, field, system.points)
            sizes = [float(c.gradient.norm()) for c in columns]
            if seen and any(float(c.gradient.norm()) > 1e-12 * s for c, s in zip(seen, sizes, strict=True)):
                kept.append((field, seen))
        return replace(system, fields=tuple(f for f, _ in kept), columns=tuple(c for _, c in kept)).at(points)

    def _seen(
        self, columns: tuple[Column, ...] | None, of: Field, points: Sequence[Point]
    ) -> tuple[Column, ...] | None:
        if columns is None:
            return None
        masks = [self.mask(point) for point in points]
        if self.partner is None:
            return tuple(Column(c.total, c.gradient[m], c.count) for c, m in zip(columns, masks, strict=True))
        others = evaluated(of, [self.partner(point) for point in points])
        if others is None:
            return None
        return tuple(
            Column(c.total - o.total, (c.gradient - o.gradient)[m], c.count)
            for c, o, m in zip(columns, others, masks, strict=True)
        )


def views(function: LossFunction, points: Sequence[Point]) -> Iterator[View]:
    """Yield the gradient with respect to each leaf alone, where there are several: terms of the others have no part in
    it; how it changes with each input that is no leaf; and how its first half along a dimension changes with the second
    half of the inputs: terms that are sums over that dimension have no part in that.
    """
    first = points[0]
    names = list(first.leaves)
    if len(names) > 1:
        yield from (View(_leaf_mask(name)) for name in names)
    inputs = function.subject.input_names
    yield from (View(_everything, _redrawn(function, name)) for name in inputs if name not in names)
    for dim in range(max(first.values[name].ndim for name in inputs)):
        yield View(_first_half(dim), _other_half(function, dim), pointwise=False)


def _everything(point: Point) -> Tensor:
    return torch.ones(sum(leaf.numel() for leaf in point.leaves.values()), dtype=torch.bool)


def _leaf_mask(name: str) -> Callable[[Point], Tensor]:
    return lambda point: _masked(point, lambda leaf, tensor: torch.full(tensor.shape, leaf == name))


def _first_half(dim: int) -> Callable[[Point], Tensor]:
    def half(name: str, tensor: Tensor) -> Tensor:
        kept = torch.zeros(tensor.shape, dtype=torch.bool)
        if tensor.ndim > dim:
            kept.narrow(dim, 0, tensor.shape[dim] // 2).fill_(True)
        return kept

    return lambda point: _masked(point, half)


def _masked(point: Point, kept: Callable[[str, Tensor], Tensor]) -> Tensor:
    none = torch.zeros(0, dtype=torch.bool)
    return torch.cat([none, *(kept(name, leaf).flatten() for name, leaf in point.leaves.items())])


def _redrawn(function: LossFunction, name: str) -> Callable[[Point], Point]:
    return _partner(function, lambda values, other: {**values, name: other[name]})


def _other_half(function: LossFunction, dim: int) -> Callable[[Point], Point]:
    def changed(values: Values, other: Values) -> dict[str, Tensor]:
        mixed = {}
        for name, tensor in values.items():
            mixed[name] = tensor
            if tensor.ndim > dim and name in function.subject.input_names:
                half = tensor.shape[dim] // 2
                both = [
                    tensor.detach().narrow(dim, 0, half),
                    other[name].detach().narrow(dim, half, tensor.shape[dim] - half),
                ]
                mixed[name] = torch.cat(both, dim).requires_grad_(tensor.requires_grad)
        return mixed

    return _partner(function, changed)


def _partner(function: LossFunction, change: Callable[[Values, Values], dict[str, Tensor]]) -> Callable[[Point], Point]:
    known: dict[int, Point] = {}

    def at(point: Point) -> Point:
        if id(point.values) not in known:
            other = function.draw(point.sizes, point.seed + 40_000, point.scale)
            known[id(point.values)] = function.point(point.sizes, point.seed, point.scale, change(point.values, other))
        return known[id(point.values)]

    return at
