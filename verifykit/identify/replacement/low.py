"""Half precisions: a target is as good as its reference where its error is not much greater."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from verifykit.comparison import unravelled
from verifykit.identify.agreement.bench import Bench
from verifykit.identify.agreement.functions import Call, Observation, Refused
from verifykit.identify.agreement.points import Point, everyday
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts, moved

# How many times the error of the reference is allowed, beside one unit of rounding of the greatest value.
FACTOR = 4.0
POINTS = 8


@dataclass
class Errors:
    """The greatest errors of one tensor against the reference in double precision, relative to its greatest value."""

    target: float = 0.0
    reference: float = 0.0
    sizes: Mapping[str, int] = field(default_factory=dict)
    index: tuple[int, ...] = ()
    actual: float = 0.0
    expected: float = 0.0


@dataclass
class Low:
    """What was seen in one low precision. ``refused`` says why nothing was, ``candidate_refuses`` that it is
    not the reference's doing.
    """

    dtype: torch.dtype
    examples: int = 0
    errors: dict[str, Errors] = field(default_factory=dict)
    refused: str | None = None
    candidate_refuses: bool = False

    @property
    def excess(self) -> dict[str, float]:
        """For each tensor, its error in units of what is allowed: above 1 it is worse than the reference's."""
        unit = torch.finfo(self.dtype).eps
        return {name: e.target / (FACTOR * e.reference + unit) for name, e in self.errors.items()}


def low_precision(facts: Facts, match: Match, dtype: torch.dtype) -> Low:
    """Run target and reference in ``dtype`` and the reference in double precision on the same numbers, forward and
    backward, at everyday points.
    """
    bench = Bench(facts, match)
    low, exact = bench.pair(dtype), bench.pair(torch.float64)
    result = Low(dtype)
    for point in islice(everyday(facts.subject), POINTS):
        source = moved(facts.module, facts.running, 1000 + point.draw) if point.draw else facts.state
        state = {name: _rounded(t, dtype) for name, t in source.items()}
        inputs = tuple(_rounded(t, dtype) for t in point.inputs)
        call = Call(order=1, seed=point.seed, chance=point.seed)
        try:
            reference, wanted = (pair.observe_candidate(state, inputs, call) for pair in (low, exact))
        except Refused as refused:
            result.refused = result.refused or str(refused)
            continue
        try:
            target = low.observe_target(state, inputs, call)
        except Refused as refused:
            result.refused, result.candidate_refuses = str(refused), True
            continue
        result.examples += 1
        _take(result, point, target, reference, wanted)
    return result


def _take(result: Low, point: Point, target: Observation, reference: Observation, wanted: Observation) -> None:
    ours, theirs = target.tensors, reference.tensors
    for name, exact in wanted.tensors.items():
        if name not in ours or name not in theirs or ours[name].shape != exact.shape or not exact.is_floating_point():
            continue
        scale = float(exact.abs().max()) if exact.numel() else 0.0
        usable = theirs[name].isfinite() & exact.isfinite()
        if scale == 0.0 or not torch.isfinite(torch.tensor(scale)) or not bool(usable.any()):
            continue
        own = torch.where(usable, (ours[name].double() - exact).abs(), 0.0).nan_to_num(nan=torch.inf) / scale
        other = torch.where(usable, (theirs[name].double() - exact).abs(), 0.0) / scale
        errors = result.errors.setdefault(name, Errors())
        errors.reference = max(errors.reference, float(other.max()))
        if float(own.max()) > errors.target:
            at = int(own.argmax())
            errors.target = float(own.max())
            errors.index = unravelled(at, own.shape)
            errors.actual, errors.expected = float(ours[name].flatten()[at]), float(exact.flatten()[at])
            errors.sizes = dict(point.sizes)


def _rounded(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype).to(torch.float64) if tensor.is_floating_point() else tensor


def is_real(state: Mapping[str, Tensor], inputs: tuple[Tensor, ...]) -> bool:
    """Whether there is nothing complex, for which torch has no low precision that computes."""
    return not any(t.is_complex() for t in [*state.values(), *inputs])
