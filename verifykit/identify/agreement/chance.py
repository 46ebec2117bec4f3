"""Two functions that draw random numbers, compared in distribution."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from verifykit.identify.agreement.functions import Observation

DRAWS = 300
# Standard errors by which two means may differ; different numbers up to which they are compared as a set, and how often
# one must occur to be missed in the other.
ERRORS, FEW, COMMON = 6.0, 4, 20

Draw = Callable[[int], Observation]


def unlike(target: Draw, candidate: Draw) -> str | None:
    """Return in what the two differ over 300 draws each, ``None`` where in nothing that is seen: the means and mean
    squares of every element of the outputs and gradients and of their sums along each dimension, within six standard
    errors; and, where an element takes few values, which these are.
    """
    ours = [target(seed).tensors for seed in range(DRAWS)]
    theirs = [candidate(DRAWS + seed).tensors for seed in range(DRAWS)]
    for name in ours[0]:
        if name.startswith("second") or name not in theirs[0] or ours[0][name].dtype != theirs[0][name].dtype:
            continue
        one, other = (torch.stack([draw[name] for draw in draws]) for draws in (ours, theirs))
        if not one.is_floating_point() or one.shape != other.shape or one.numel() == 0:
            continue
        for what, statistic in _statistics(one.nan_to_num(), other.nan_to_num()):
            if statistic > ERRORS:
                return f"{what} of {name} differs by {statistic:.3g} standard errors over {DRAWS} random draws each"
        ours_at, theirs_at = (t.flatten(1)[:, 0].mul(1e9).round().div(1e9) for t in (one, other))
        if min(len(torch.unique(ours_at)), len(torch.unique(theirs_at))) <= FEW and (
            _misses(ours_at, theirs_at) or _misses(theirs_at, ours_at)
        ):
            values, wanted = _listed(ours_at), _listed(theirs_at)
            return f"{name} takes the values {values} over {DRAWS} random draws, not {wanted}"
    return None


def _statistics(one: Tensor, other: Tensor) -> Iterator[tuple[str, float]]:
    views = [(one, other, "")]
    views += [(one.sum(d), other.sum(d), f" of the sums along dimension {d - 1}") for d in range(1, one.ndim)]
    for ours, theirs, which in views:
        yield f"the mean{which}", _apart(ours, theirs)
        yield f"the mean square{which}", _apart(ours.square(), theirs.square())
        pooled = (t.square().flatten(1).mean(1) for t in (ours, theirs))
        yield f"the mean square{which}", _apart(*pooled)


def _apart(one: Tensor, other: Tensor) -> float:
    """By how many standard errors the means over the first dimension differ, at the most."""
    gap = (one.mean(0) - other.mean(0)).abs()
    # A value that turns up once in all draws of one, and never in the other's, is no sign of anything.
    spread = torch.maximum(one.std(0), other.std(0)) * (2 / len(one)) ** 0.5
    floor = 1e-9 * torch.maximum(one.abs().amax(), other.abs().amax())
    return float((gap / (spread + floor)).nan_to_num().max())


def _misses(one: Tensor, other: Tensor) -> bool:
    """Whether a number that is common in ``one`` never occurs in ``other``."""
    values, counts = torch.unique(one, return_counts=True)
    return not bool(torch.isin(values[counts >= COMMON], other).all())


def _listed(drawn: Tensor) -> str:
    values = torch.unique(drawn).tolist()
    return f"{{{', '.join(f'{value:.6g}' for value in values[:FEW])}{', …' if len(values) > FEW else ''}}}"
