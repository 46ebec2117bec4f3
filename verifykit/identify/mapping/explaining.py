"""Explaining the values that a tensor of a candidate must take, over several states of the target, by what it holds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import torch
from torch import Tensor

from verifykit.identify.mapping.layouts import Shape
from verifykit.identify.mapping.sources import Source
from verifykit.identify.mapping.vocabulary import State, Term, composed, rearranged, scaled, transformed

# What an explanation may leave of the values, relative to them.
_EXACT = 1e-9
# Elements that tell, at one state, whether a term is worth a fit at all of them.
_TELLING = 6
# The cosine between what one term leaves and another, from which both are fitted together.
_ALIKE = 1 - 1e-6


@dataclass(frozen=True)
class Explanation:
    """A tensor as a sum of terms with constant factors, and a constant."""

    terms: tuple[tuple[float, Term], ...]
    constant: float
    shape: Shape

    def of(self, state: State) -> Tensor:
        """Its value in a state, in the precision of that."""
        like = next(tensor for tensor in state.values() if tensor.is_floating_point())
        start = like.new_full(self.shape, self.constant)
        return sum((factor * term.of(state) for factor, term in self.terms), start)

    @property
    def text(self) -> str:
        """The sum as one would write it."""
        parts = [f"{self.constant:g}"] if self.constant or not self.terms else []
        parts += [
            term.text if factor == 1 else f"-{term.text}" if factor == -1 else f"{factor:.6g}·{term.text}"
            for factor, term in self.terms
        ]
        return " + ".join(parts).replace("+ -", "- ")

    @property
    def is_plain(self) -> bool:
        """Whether it is a tensor of the target as it stands."""
        return len(self.terms) == 1 and self.constant == 0 and self.terms[0][0] == 1 and self.terms[0][1].plain


def explain(
    values: Sequence[Tensor], known: Tensor, states: Sequence[State], sources: Sequence[Source]
) -> Explanation | None:
    """Return how ``values``, those that a tensor takes in ``states``, come of the target's ``sources``, ``None`` where
    nothing explains them. ``known`` says which elements are determined at all.
    """
    shape = tuple(values[0].shape)
    wanted = torch.cat([value[known] for value in values])
    size = float(wanted.abs().max()) if wanted.numel() else 0.0
    if size == 0.0:
        return Explanation((), 0.0, shape) if wanted.numel() else None
    search = _Search(shape, wanted / size, size, known, states)
    plain = rearranged(sources, shape)
    return (
        search.single(plain)
        or search.single(chain(scaled(plain, sources, shape), composed(sources, shape)))
        or search.pair()
        or search.single(transformed(plain))
        or search.pair()
    )


class _Search:
    """Holds terms against the values: at the first state alone where that tells enough, then at all of them."""

    def __init__(self, shape: Shape, wanted: Tensor, size: float, known: Tensor, states: Sequence[State]) -> None:
        self.shape, self.wanted, self.size, self.known, self.states = shape, wanted, size, known, states
        count = int(known.sum())
        self.looked_at = states[:1] if count >= _TELLING else states
        self.values = wanted[: count * len(self.looked_at)]
        self.seen: list[tuple[Term, Tensor]] = []

    def single(self, terms: Iterable[Term]) -> Explanation | None:
        """The first of ``terms`` that explains the values, with a factor and a constant."""
        centred = self.values - self.values.mean()
        for term in terms:
            try:
                column = self._column(term, self.looked_at)
            except Exception:  # an operation that does not take what it was offered
                continue
            if not bool(column.isfinite().all()):
                continue
            self.seen.append((term, column))
            other = column - column.mean()
            likeness = float((centred @ other).abs()) / max(float(centred.norm() * other.norm()), 1e-300)
            if (likeness > _ALIKE or likeness == 0.0) and (found := self._fit([term])):
                return found
        return None

    def pair(self) -> Explanation | None:
        """The first pair of the terms seen that explains the values: what each leaves is held against all."""
        if not self.seen:
            return None
        columns = torch.stack([column for _, column in self.seen], 1)
        columns = columns - columns.mean(0)
        left = self.values - self.values.mean()
        for at, (direction, norm) in enumerate(zip(columns.T, columns.norm(dim=0), strict=True)):
            if float(norm) == 0.0:
                continue
            unit = direction / norm
            rest, residual = columns - torch.outer(unit, unit @ columns), left - unit * (unit @ left)
            likeness = (rest.T @ residual).abs() / (rest.norm(dim=0) * residual.norm()).clamp(min=1e-300)
            for other in (likeness > _ALIKE).nonzero().flatten().tolist():
                if found := self._fit([self.seen[i][0] for i in sorted((at, other))]):
                    return found
        return None

    def _column(self, term: Term, states: Sequence[State]) -> Tensor:
        return torch.cat([term.of(state)[self.known] for state in states])

    def _fit(self, terms: Sequence[Term]) -> Explanation | None:
        chosen = [self._column(term, self.states) for term in terms]
        columns = torch.stack([*chosen, torch.ones_like(self.wanted)], 1)
        if self.wanted.numel() < columns.shape[1] + 2:
            columns = columns[:, :-1]
        if self.wanted.numel() < columns.shape[1] + 1:
            return None
        solution = torch.linalg.lstsq(columns, self.wanted).solution
        if not bool(solution.isfinite().all()) or float((columns @ solution - self.wanted).abs().max()) > _EXACT:
            return None
        factors = [_neat(float(factor) * self.size) for factor in solution]
        constant = factors[len(chosen)] if len(factors) > len(chosen) else 0.0
        if abs(constant) < _EXACT * self.size:
            constant = 0.0
        summed = tuple((factor, term) for factor, term in zip(factors, terms, strict=False) if factor != 0.0)
        return Explanation(summed, constant, self.shape)


def _neat(value: float) -> float:
    """The simple number that ``value`` is up to what a fit may be off: a fraction, or the root of one."""
    near = Fraction(value).limit_denominator(1000)
    if abs(value - float(near)) <= _EXACT * max(1.0, abs(value)):
        return float(near)
    square = Fraction(value * value).limit_denominator(1000)
    root = math.copysign(math.sqrt(float(square)), value)
    return root if abs(value - root) <= _EXACT * abs(value) else value


def notes_of(explained: Mapping[str, Explanation]) -> tuple[str, ...]:
    """Say what each tensor is made of, but where it is one of the target's as it stands."""
    return tuple(f"{name} is {explanation.text}" for name, explanation in explained.items() if not explanation.is_plain)


def confined(explanation: Explanation, state: State) -> bool:
    """Whether a tensor that is made so cannot take all values near the one it has: not all of its elements can be moved
    by themselves, as those of a symmetric matrix or of rows of norm 1.

    The rank of its Jacobian by the target's state tells.
    """
    if not explanation.terms or explanation.is_plain:
        return False
    held = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}
    # Unlike torch.func.jacrev this does not import sympy.
    jacobians = torch.autograd.functional.jacobian(  # type: ignore[no-untyped-call]
        lambda *tensors: explanation.of(dict(zip(held, tensors, strict=True))), tuple(held.values())
    )
    count = math.prod(explanation.shape)
    columns = [jacobian.reshape(count, -1) for jacobian in jacobians]
    rank = int(torch.linalg.matrix_rank(torch.cat(columns, 1), rtol=1e-9))
    return rank < count
