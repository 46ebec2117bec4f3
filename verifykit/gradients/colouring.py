"""Which elements of a leaf can be moved together without mixing up their derivatives."""

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
    taken = torch.zeros(COLOURS + 1, width, device=kind.device)
    colours, used = [], 1
    for pattern in reaches[order[firsts]].float():
        fitting = int((taken[:used] @ pattern).argmin())  # the first that has the fewest outputs in common: none
        if fitting == COLOURS:
            return torch.arange(size, device=reaches.device)
        taken[fitting] += pattern
        colours.append(fitting)
        used = max(used, fitting + 2)
    colour = torch.tensor(colours, device=kind.device)
    rows: Tensor = torch.unique(colour[kind] * size + rank, return_inverse=True)[1]
    return rows
