"""Least squares with coefficients that are not negative, for many designs of a few terms at once."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def nonnegative(columns: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return for each design the coefficients, the last one positive and no other negative, for which the sum of its
    columns comes nearest to 1, and the weighted sum of squares (infinite where there are none).

    ``columns`` is designs by points by terms. Which of the terms are there at all is found by trying: there are few.
    """
    designs, _, terms = columns.shape
    least = np.full(designs, np.inf)
    chosen = np.zeros((designs, terms))
    weighted = columns * weights[:, None]
    size = np.linalg.norm(weighted, axis=1)
    scaled = weighted / size[:, None, :]
    products = scaled.transpose(0, 2, 1) @ scaled
    aims = scaled.transpose(0, 2, 1) @ weights
    for mask in range(2 ** (terms - 1)):
        present = [i for i in range(terms - 1) if mask >> i & 1] + [terms - 1]
        # So little is added that two columns which are the same to all digits do not stop it.
        normal = products[:, present][:, :, present] + 1e-13 * np.eye(len(present))
        solved = np.linalg.solve(normal, aims[:, present, None])[..., 0]
        misfit = (((scaled[:, :, present] @ solved[..., None])[..., 0] - weights) ** 2).sum(axis=1)
        better = (solved >= 0).all(axis=1) & (solved[:, -1] > 0) & (misfit < least)
        least = np.where(better, misfit, least)
        full = np.zeros_like(chosen)
        full[:, present] = solved / size[:, present]
        chosen = np.where(better[:, None], full, chosen)
    return chosen, least
