"""Which elements of a leaf can be moved together without mixing up their derivatives."""

import numpy as np
import torch
from torch import Tensor

# Sets of elements above which none are moved together.
COLOURS = 64


def rows_together(reaches: Tensor) -> Tensor:
    """Return for each element of a leaf the row of the batch in which it is moved. Elements that reach no common output
    according to autograd are moved together, as in A. R. Curtis, M. J. D. Powell, J. K. Reid, "On the Estimation of
    Sparse Jacobian Matrices", IMA J. Appl. Math. 13 (1974): what autograd leaves out still shows, in another's output.
    """
    size, width = reaches.shape
    weights = torch.rand(width, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(reaches.device)
    _, kind = torch.unique(reaches.double() @ weights, return_inverse=True)
    order = kind.argsort(stable=True)
    counts = torch.bincount(kind)
    firsts = counts.cumsum(0) - counts
    rank = torch.empty_like(kind)
    rank[order] = torch.arange(size, device=kind.device) - firsts[kind[order]]
    taken, colours = [0], list[int]()
    for pattern in _as_bits(reaches[order[firsts]]):
        fitting = next(colour for colour, bits in enumerate(taken) if not bits & pattern)
        if fitting == COLOURS:
            return torch.arange(size, device=reaches.device)
        taken[fitting] |= pattern
        colours.append(fitting)
        if fitting == len(taken) - 1:
            taken.append(0)  # there is always one that fits
    colour = torch.tensor(colours, device=kind.device)
    rows: Tensor = torch.unique(colour[kind] * size + rank, return_inverse=True)[1]
    return rows


def _as_bits(patterns: Tensor) -> list[int]:
    """Each row of a Boolean matrix as one integer, so that two are compared in one operation."""
    return [int.from_bytes(row, "little") for row in np.packbits(patterns.cpu().numpy(), axis=1)]
