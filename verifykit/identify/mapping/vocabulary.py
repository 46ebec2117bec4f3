"""The expressions in a target's state by which a tensor of a candidate may be explained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import torch
import torch.nn.functional as F
from torch import Tensor

from verifykit.identify.mapping.layouts import RESHAPED, Layout, Shape, layouts
from verifykit.identify.mapping.sources import Source

State = Mapping[str, Tensor]

_ELEMENTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "square": torch.square,
    "relu": torch.relu,
    "reciprocal": torch.reciprocal,
}


@dataclass(frozen=True)
class Term:
    """An expression: ``of`` gives its value in a state, ``text`` says what it is, ``plain`` that it is a tensor as it
    stands.
    """

    text: str
    of: Callable[[State], Tensor]
    plain: bool = False


def rearranged(sources: Sequence[Source], shape: Shape) -> list[Term]:
    """Return the target's tensors, and slices of them, that can be laid out in ``shape``."""
    return [term for source in sources for term in _rearranged(source, shape)]


def transformed(terms: Sequence[Term]) -> Iterator[Term]:
    """Yield elementwise functions of ``terms``, and ``terms`` normalised along some of their dimensions."""
    for term in terms:
        for name, function in _ELEMENTWISE.items():
            yield _mapped(f"{name}({term.text})", function, term)
        yield from _normalised(term)


def scaled(terms: Sequence[Term], sources: Sequence[Source], shape: Shape) -> Iterator[Term]:
    """Yield products of ``terms`` with vectors along one dimension, as of weight normalisation, or with a number."""
    for axis, size in enumerate(shape):
        vector = tuple(size if at == axis else 1 for at in range(len(shape)))
        for source in sources:
            if len(shape) < 2 or source.shape.count(1) < len(source.shape) - 1 or not layouts(source.shape, vector):
                continue
            scale = _scale(source, vector)
            exponential = _mapped(f"exp({source.name})", torch.exp, scale)
            directions = [_direction(term, tuple(at for at in range(len(shape)) if at != axis)) for term in terms]
            for factor, term in product((scale, exponential), (*terms, *directions)):
                yield _multiplied(factor, term)
    for source in sources:
        if all(size == 1 for size in source.shape) and shape != source.shape:
            scale = _scale(source, ())
            for factor, term in product((scale, _mapped(f"exp({source.name})", torch.exp, scale)), terms):
                yield _multiplied(factor, term)


def composed(sources: Sequence[Source], shape: Shape) -> Iterator[Term]:
    """Yield products of two of the target's tensors: of matrices, of a matrix and a vector, and element by element."""
    for one, other in product(sources, repeat=2):
        if one.name == other.name:
            continue
        for left, right in product(_sides(one), _sides(other)):
            made = (*left.shape[:-1], *right.shape[1:])
            if left.shape[-1] == right.shape[0]:
                yield from (
                    _matrix_product(left, right, lay) for lay in layouts(made, shape) if lay.note in ("", RESHAPED)
                )
    for one_term, other_term in combinations(rearranged(sources, shape), 2):
        yield _multiplied(one_term, other_term)


@dataclass(frozen=True)
class _Side:
    text: str
    of: Callable[[State], Tensor]
    shape: Shape


def _matrix_product(left: _Side, right: _Side, layout: Layout) -> Term:
    return Term(f"{left.text} @ {right.text}", lambda state: layout.apply(left.of(state) @ right.of(state)))


def _scale(source: Source, shape: Shape) -> Term:
    return Term(source.name, lambda state: source.of(state).reshape(shape))


def _slice(source: Source, layout: Layout, axis: int, start: int, size: int) -> Term:
    return Term(f"a slice of {source.name}", lambda state: layout.apply(source.of(state).narrow(axis, start, size)))


def _laid_out(source: Source, layout: Layout) -> Term:
    text = source.name if layout.note in ("", RESHAPED) else f"{source.name} with its axes permuted"
    return Term(text, lambda state: layout.apply(source.of(state)), not layout.note)


def _sides(source: Source) -> list[_Side]:
    if len(source.shape) == 2:
        plain = _Side(source.name, source.of, source.shape)
        return [plain, _Side(f"{source.name}ᵀ", lambda state: source.of(state).mT, source.shape[::-1])]
    return [_Side(source.name, source.of, source.shape)] if len(source.shape) == 1 else []


def _rearranged(source: Source, shape: Shape) -> Iterator[Term]:
    for layout in layouts(source.shape, shape):
        yield _laid_out(source, layout)
    for axis, length in enumerate(source.shape):
        for size in range(1, length):
            part = (*source.shape[:axis], size, *source.shape[axis + 1 :])
            for layout in layouts(part, shape)[:2]:
                for start in (0, length - size):
                    yield _slice(source, layout, axis, start, size)


def _normalised(term: Term) -> Iterator[Term]:
    for which, kept in {"per row": (0,), "per column": (1,), "as a whole": ()}.items():
        for name, function in _NORMALISED.items():
            yield _mapped(f"{term.text} {name} {which}", partial(_along, function, kept), term)
    yield _mapped(f"{term.text} divided by its spectral norm", _spectral, term)


def _along(function: Callable[[Tensor, list[int]], Tensor], kept: Sequence[int], tensor: Tensor) -> Tensor:
    return function(tensor, [axis for axis in range(tensor.ndim) if axis not in kept])


def _standardised(eps: float, correction: int, tensor: Tensor, along: list[int]) -> Tensor:
    variance, mean = torch.var_mean(tensor, along, keepdim=True, correction=correction)
    return (tensor - mean) / torch.sqrt(variance + eps)


def _centred(tensor: Tensor, along: list[int]) -> Tensor:
    return tensor - tensor.mean(along, keepdim=True)


def _unit(tensor: Tensor, along: list[int]) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(tensor, dim=along, keepdim=True)
    return tensor / norm


def _shares(tensor: Tensor, along: list[int]) -> Tensor:
    return (tensor - tensor.logsumexp(along, keepdim=True)).exp()


def _spectral(tensor: Tensor) -> Tensor:
    values: Tensor = torch.linalg.svdvals(tensor.flatten(1))
    return tensor / values.max()


_NORMALISED: dict[str, Callable[[Tensor, list[int]], Tensor]] = {
    "centred": _centred,
    "divided by its norm": _unit,
    "as shares by softmax": _shares,
    **{
        f"standardised ({'biased' if correction == 0 else 'unbiased'}, eps {eps:g})": partial(
            _standardised, eps, correction
        )
        for correction in (0, 1)
        for eps in (0.0, 1e-5, 1e-6, 1e-8, 1e-12)
    },
}


def _direction(term: Term, along: Sequence[int]) -> Term:
    return _mapped(f"{term.text}/‖{term.text}‖", lambda tensor: _unit(tensor, list(along)), term)


def _mapped(text: str, function: Callable[[Tensor], Tensor], term: Term) -> Term:
    return Term(text, lambda state: function(term.of(state)))


def _multiplied(one: Term, other: Term) -> Term:
    return Term(f"{one.text}·{other.text}", lambda state: one.of(state) * other.of(state))
