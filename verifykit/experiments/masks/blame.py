"""Where something that is hidden gets through."""

import torch
from torch import Tensor

from verifykit.experiments.influence import where_they_part
from verifykit.experiments.masks.trials import Masked, Trial
from verifykit.results import Location


def silences(masked: Masked, trial: Trial) -> bool:
    """Whether the outputs at hidden positions do not depend on the inputs at all: the mask is meant to hide."""
    return masked.change(trial, torch.ones_like(trial.visible), ~trial.visible) is None


def blamed_position(masked: Masked, trial: Trial) -> tuple[int, int] | None:
    """The first hidden position, and its sample, that changes what is visible alone."""
    for sample, position in (~trial.visible).nonzero().tolist():
        alone = torch.zeros_like(trial.visible)
        alone[sample, position] = True
        if masked.change(trial, alone, trial.visible) is not None:
            return sample, position
    return None


def where_it_leaks(masked: Masked, trial: Trial) -> Location | None:
    """The first operation whose values at visible positions change with the hidden ones."""
    cut = max(masked.lengths)

    def agrees(before: Tensor, after: Tensor) -> bool:
        axes = [a for a, size in enumerate(before.shape) if size == masked.size]
        differs = ~torch.isclose(before, after, rtol=1e-9, atol=0, equal_nan=True)
        if not axes:
            return not bool(differs.any())
        least = min(masked.lengths)
        return cut < 1 or any(not bool(differs.narrow(a, 0, least).any()) for a in axes)

    return where_they_part(masked.subject, trial.inputs, masked.moved(trial, ~trial.visible), agrees, trial.extra)
