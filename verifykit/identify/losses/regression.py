"""Sparse regression without noise: the fewest columns of which a vector is an exact sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# What rounding leaves of a unit vector that is a sum of columns, and how near two unit columns are the same one.
EXACT = 1e-10
SAME = 1e-11

# Columns nearer than this by their scalar product are compared as such; a Gram matrix tells them apart no better.
_NEAR = 1e-9
_TRIED = 40

# What is left of a unit column that is a sum of those before it, and the sizes below which a coefficient of a unit
# column may be rounding, amplified by columns that are nearly dependent.
_DEPENDENT = 1e-9
_NOISE = (1e-4, 1e-6, 1e-8)

# Pivots at most, and terms of a sum that a person would still read.
_PIVOTS = 30
_TERMS = 16


@dataclass(frozen=True)
class Fit:
    """A sum of some columns: their places, coefficients, and the norm of what is left relative to the whole."""

    support: tuple[int, ...]
    coefficients: Tensor
    residual: float


def fit(matrix: Tensor, vector: Tensor, support: Sequence[int]) -> Fit:
    """Return the least-squares sum of the columns in ``support``."""
    chosen = matrix[:, list(support)]
    coefficients = torch.linalg.lstsq(chosen, vector[:, None], driver="gelsd").solution[:, 0]
    left = float((vector - chosen @ coefficients).norm() / vector.norm())
    return Fit(tuple(support), coefficients, left)


def clustered(matrix: Tensor) -> list[list[int]]:
    """Return the columns of ``matrix``, whose norms are 1, in groups that are the same up to sign."""
    near = (matrix.T @ matrix).abs() > 1 - _NEAR
    groups: list[list[int]] = []
    group_of: dict[int, list[int]] = {}
    for j in range(matrix.shape[1]):
        for first in torch.nonzero(near[:j, j]).flatten().tolist():
            group = group_of.get(first)
            if group is not None and _is_same(matrix[:, first], matrix[:, j]):
                group.append(j)
                break
        else:
            group_of[j] = [j]
            groups.append(group_of[j])
    return groups


def _is_same(one: Tensor, other: Tensor) -> bool:
    return float((other - torch.sign(one @ other) * one).norm()) <= SAME


def exact_fits(matrix: Tensor, vector: Tensor, costs: Sequence[int], *, few: bool = False) -> list[Fit]:
    """Return the sums of the fewest columns of ``matrix``, whose norms are 1, that give ``vector``, the cheapest first;
    none where it is no sum of them. With ``few`` only sums of one or two are looked for.
    """
    if vector.numel() == 0 or matrix.shape[1] == 0 or float(vector.norm()) == 0:
        return []
    unit = vector / vector.norm()
    for size in (1, 2):
        found = [one for s in _promising(matrix, unit, size) if (one := fit(matrix, unit, s)).residual <= EXACT]
        if found:
            return sorted(found, key=lambda one: sum(costs[k] for k in one.support))
    if few:
        return []
    diagonal = torch.linalg.qr(matrix, mode="r").R.diagonal().abs()
    free = torch.nonzero(diagonal > _DEPENDENT).flatten()
    bound = torch.nonzero(diagonal <= _DEPENDENT).flatten()
    basis, triangle = torch.linalg.qr(matrix[:, free])
    shares = basis.T @ unit
    if float((unit - basis @ shares).norm()) > EXACT:
        return []
    null = torch.eye(matrix.shape[1], dtype=matrix.dtype)[:, bound]
    null[free] = -torch.linalg.solve_triangular(triangle, basis.T @ matrix[:, bound], upper=True)
    solution = torch.zeros(matrix.shape[1], dtype=matrix.dtype)
    solution[free] = torch.linalg.solve_triangular(triangle, shares[:, None], upper=True)[:, 0]
    weights = torch.tensor(costs, dtype=matrix.dtype)
    sparse = [_thinned(matrix, unit, _pivoted(solution, null, weights, noise), noise) for noise in _NOISE]
    return sorted(
        {one.support: one for one in (_polished(matrix, unit, s, costs) for s in sparse if s is not None)}.values(),
        key=lambda one: (len(one.support), sum(costs[k] for k in one.support)),
    )


def _promising(matrix: Tensor, vector: Tensor, size: int) -> list[tuple[int, ...]]:
    """The columns, or pairs of them, that explain most of ``vector``, by their Gram matrix."""
    shares = matrix.T @ vector
    if size == 1:
        return [(int(k),) for k in torch.argsort(shares.abs(), descending=True)[:_TRIED]]
    gram, squares = matrix.T @ matrix, shares**2
    determinant = 1 - gram**2
    explained = squares[:, None] + squares[None, :] - 2 * gram * torch.outer(shares, shares)
    explained = torch.where(determinant > _NEAR, explained / determinant, 0.0).triu(1)
    places = explained.flatten().topk(min(_TRIED, explained.numel())).indices
    n = len(shares)
    return [(int(at) // n, int(at) % n) for at in places if int(at) // n != int(at) % n]


def _pivoted(solution: Tensor, null: Tensor, weights: Tensor, noise: float) -> Tensor:
    """A solution with fewer, and cheaper, terms: columns that are sums of others take their place while that helps.
    ``null`` holds sums of columns that vanish.
    """
    null = torch.where(null.abs() > noise, null, 0.0)
    prices = 1000 + weights

    def price(x: Tensor) -> Tensor:
        return ((x.abs() > noise) * prices[:, None]).sum(0)

    best = float(price(solution[:, None])[0])
    for _ in range(_PIVOTS):
        rows, kinds = torch.nonzero((null != 0) & (solution.abs() > noise)[:, None], as_tuple=True)
        if len(rows) == 0:
            break
        moved = solution[:, None] - null[:, kinds] * (solution[rows] / null[rows, kinds])
        priced = price(moved)
        at = int(priced.argmin())
        if float(priced[at]) >= best:
            break
        best, solution = float(priced[at]), moved[:, at]
    return solution


def _thinned(matrix: Tensor, vector: Tensor, solution: Tensor, noise: float) -> Fit | None:
    """The exact sum of the columns that ``solution`` has above ``noise``, less what is not needed; if there is one."""
    support = torch.nonzero(solution.abs() > noise).flatten().tolist()
    if not support or len(support) > _TERMS:
        return None
    best = fit(matrix, vector, support)
    while best.residual <= EXACT and len(best.support) > 1:
        order = torch.argsort(best.coefficients.abs()).tolist()
        smaller = (fit(matrix, vector, [s for i, s in enumerate(best.support) if i != k]) for k in order)
        found = next((one for one in smaller if one.residual <= EXACT), None)
        if found is None:
            break
        best = found
    return best if best.residual <= EXACT else None


def _polished(matrix: Tensor, vector: Tensor, best: Fit, costs: Sequence[int]) -> Fit:
    """The sum with terms replaced by others that lie in their span, while that leaves fewer or cheaper ones."""
    for _ in range(_PIVOTS):
        chosen = matrix[:, list(best.support)]
        shares = torch.linalg.lstsq(chosen, matrix, driver="gelsd").solution
        spanned = (matrix - chosen @ shares).norm(dim=0) <= EXACT
        spanned[list(best.support)] = False
        supports = set()
        for j in torch.nonzero(spanned).flatten().tolist():
            for i in torch.nonzero(shares[:, j].abs() > _NOISE[1]).flatten().tolist():
                rest = best.coefficients - shares[:, j] * (best.coefficients[i] / shares[i, j])
                kept = torch.nonzero(rest.abs() > _NOISE[1] * best.coefficients.abs().max()).flatten().tolist()
                supports.add(tuple(sorted([best.support[k] for k in kept if k != i] + [j])))
        ranked = sorted(supports, key=lambda s: (len(s), sum(costs[k] for k in s)))
        now = len(best.support), sum(costs[k] for k in best.support)
        cheaper = [s for s in ranked if (len(s), sum(costs[k] for k in s)) < now][:_TRIED]
        found = next((one for s in cheaper if (one := fit(matrix, vector, s)).residual <= EXACT), None)
        if found is None:
            break
        best = found
    return best
