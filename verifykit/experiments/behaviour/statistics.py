"""Running statistics: which buffers training moves, at what rate towards a batch, and where that ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.experiments.behaviour.noise import without_torch_dropout
from verifykit.experiments.behaviour.state import same
from verifykit.results import Severity
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

CALLS = 4
# Calls after which what is no exponential average has settled, or has not.
MANY = 60
# Two moves in a row are compared in double precision; the ratio is good to far better than this.
EXACT = 1e-6


@dataclass(frozen=True)
class Statistic:
    """A floating-point buffer that training moves. ``rate`` is the weight of the newest batch, where its moves shrink
    geometrically, ``limit`` where they lead; ``declared`` the attribute of its owner that ought to give the rate.
    """

    name: str
    rate: float | None
    limit: Tensor | None
    declared: tuple[str, float] | None

    @property
    def converges(self) -> bool:
        """Whether it is an average that one batch, over and over, leads somewhere."""
        return self.limit is not None

    @property
    def grows(self) -> bool:
        """Whether one and the same batch adds the same amount each time."""
        return self.rate is not None and abs(self.rate) < EXACT


def moved_statistics(subject: Subject, inputs: Sequence[Tensor]) -> list[Statistic]:
    """Return the floating-point buffers, torch's own aside, that training on ``inputs`` moves."""
    module = without_torch_dropout(subject.build(training=True))
    history = [_buffers(module)]
    for _ in range(CALLS):
        _train(subject, module, inputs)
        history.append(_buffers(module))
    names = [name for name in history[0] if name in history[-1] and not same(history[0][name], history[-1][name])]
    return [_statistic(module, name, [state[name] for state in history]) for name in names]


def judged(statistic: Statistic) -> tuple[Severity, str, dict[str, Any]] | None:
    """Return what is wrong with its rate: severity, message and evidence; ``None`` where it is as declared."""
    if statistic.declared is None or statistic.rate is None or statistic.grows:
        return None
    (attribute, value), rate, name = statistic.declared, statistic.rate, statistic.name
    right, swapped = (value, 1 - value) if attribute == "momentum" else (1 - value, value)
    evidence = {"statistic": name, attribute: value, "weight of the newest batch": rate}
    if attribute == "momentum" and value > 0.5:  # the other convention: the weight of the old value
        right, swapped = swapped, right
        if abs(rate - swapped) < EXACT:
            return None  # torch's convention, and an odd value
    if abs(rate - right) < EXACT:
        return None
    if abs(rate - swapped) < EXACT:
        return (
            "error",
            f"{name} mixes old and new the wrong way round: with {attribute} = {value:g}, each training call "
            f"replaces {rate:.0%} of it",
            evidence,
        )
    return (
        "warning",
        f"with {attribute} = {value:g}, each training call replaces {rate:.4g} of {name}, where {right:.4g} "
        "is declared",
        evidence,
    )


def settle(subject: Subject, inputs: Sequence[Tensor], statistics: Sequence[Statistic]) -> dict[str, Tensor]:
    """Return the buffers after so many training calls on ``inputs`` that they are at their limit, by extrapolation
    where all are exponential averages.
    """
    limits = {s.name: s.limit for s in statistics if s.limit is not None}
    module = without_torch_dropout(subject.build(training=True))
    for _ in range(CALLS if len(limits) == len(statistics) else MANY):
        _train(subject, module, inputs)
    return {**_buffers(module, everything=True), **limits}


def _train(subject: Subject, module: nn.Module, inputs: Sequence[Tensor]) -> None:
    with torch.no_grad(), seeded(subject.seed):
        subject.call(module, [t.clone() for t in inputs])


def _buffers(module: nn.Module, *, everything: bool = False) -> dict[str, Tensor]:
    torchs = [
        f"{name}." if name else ""
        for name, part in module.named_modules()
        if type(part).__module__.startswith("torch.nn") and isinstance(part, nn.modules.batchnorm._NormBase)
    ]
    return {
        name: buffer.detach().clone()
        for name, buffer in module.named_buffers()
        if everything or (buffer.is_floating_point() and f"{name.rpartition('.')[0]}.".lstrip(".") not in torchs)
    }


def _statistic(module: nn.Module, name: str, history: Sequence[Tensor]) -> Statistic:
    owner = module.get_submodule(name.rpartition(".")[0])
    declared = next(_declared(owner), None)
    if any(state.shape != history[0].shape for state in history):
        return Statistic(name, None, None, declared)
    moves = [(after - before).double().flatten() for before, after in pairwise(history)]
    first, size = moves[0], float(moves[0] @ moves[0])
    if not size or not all(bool(move.isfinite().all()) for move in moves):
        return Statistic(name, None, None, declared)
    ratios = [float(move @ first) / size for move in moves]
    ratio = ratios[1]
    residual = max(float((m - ratio**k * first).norm()) for k, m in enumerate(moves)) / size**0.5
    if residual > EXACT or not 0 <= ratio <= 1 + EXACT:
        return Statistic(name, None, None, declared)
    limit = None if 1 - ratio < EXACT else history[0] + (moves[0] / (1 - ratio)).view_as(history[0]).to(history[0])
    # What stays after one call may be an average over all calls: one batch cannot tell its rate.
    return Statistic(name, None if ratio < EXACT else 1 - ratio, limit, declared)


def _declared(owner: nn.Module) -> Iterator[tuple[str, float]]:
    for attribute in ("momentum", "decay", "ema_decay"):
        value = getattr(owner, attribute, None)
        if isinstance(value, float) and 0 < value < 1:
            yield attribute, value
