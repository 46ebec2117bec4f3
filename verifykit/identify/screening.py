"""A first look at one candidate: does it give the target's outputs where these were seen, or nearly so?"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, tee

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.identify.candidate import Arrangement, Candidate, Match
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.arrangements import arrangements
from verifykit.identify.orders import Order, orders
from verifykit.identify.sights import Sight, Values, sights_of
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors

# A candidate that agrees so well at a first look is looked at thoroughly; rounding is judged there.
SAME = 1e-8
# Values of which a factor and an offset can be told to hold.
TELLING = 4
# What leaves so much of the spread is not even near; what gives the outputs, and leaves other running statistics, is.
FAR, UNLIKE = 0.5, 0.01
# Ways to arrange the state of one candidate that are tried; of one of many variants; and of one that deviates.
ARRANGEMENTS, FEWER, FEW = 64, 24, 4


class Screen:
    """Holds what a target was seen to give, and compares candidates with it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.sights = list(sights_of(facts))
        self._arranged: dict[object, Iterator[Arrangement]] = {}

    @cached_property
    def varied(self) -> bool:
        """Whether anything can be told from the outputs: they are finite numbers, and not all the same."""
        joined = torch.cat([value.flatten().to(torch.complex128) for s in self.sights for value in s.outputs.values()])
        finite = joined[joined.isfinite()]
        return bool(finite.numel() > 1 and (finite != finite[0]).any())

    def matches(self, candidate: Candidate, *, within: float = math.inf) -> Match | None:
        """Return how ``candidate`` gives the outputs, exactly where it does, else the nearest that it comes.

        With ``within``, a difference relative to the greatest value, it is one of many, most of them far off: the first
        call at which its outputs, as they are, differ by more ends it, and fewer ways to call it are tried.
        """
        try:
            module = candidate.reference.build(torch.float64, self.facts.subject.device, seed=self.facts.subject.seed)
        except Exception:  # arguments that it does not take
            return None
        many = within < math.inf
        taken = list(self._orders(candidate, module, many))
        best: Match | None = None
        for arrangement in self._arrangements(candidate, module, many):
            for order in [*taken]:
                try:
                    match = self._match(candidate, module, arrangement, order, within)
                except _Unfit:
                    taken.remove(order)
                    continue
                if match is None:
                    continue
                if best is None or _preference(match) < _preference(best):
                    best = match
                if match.residual <= SAME and not match.deviations and match.is_plain:
                    return match
            if not taken:
                break
        return best

    def _orders(self, candidate: Candidate, module: nn.Module, many: bool) -> Iterator[Order]:
        known = orders(self.facts, module)
        if not many:
            return known
        few = islice(known, 2 if len(self.facts.inputs) == 2 else 1)
        return (order for order in few if not (candidate.deviations and order.deviations))

    def _arrangements(self, candidate: Candidate, module: nn.Module, many: bool) -> Iterator[Arrangement]:
        """Those of ``module``; the variants of one operation share them where their states are alike."""
        if not many:
            return islice(arrangements(self.facts, module), ARRANGEMENTS)
        key = type(module), tuple((name, tensor.shape) for name, tensor in module.state_dict().items())
        if key not in self._arranged:
            self._arranged[key] = arrangements(self.facts, module)
        self._arranged[key], again = tee(self._arranged[key])
        return islice(again, FEW if candidate.deviations else FEWER)

    def _match(
        self, candidate: Candidate, module: nn.Module, arrangement: Arrangement, order: Order, within: float
    ) -> Match | None:
        places: Mapping[str, str] | None = None
        pairs: list[tuple[Tensor, Tensor]] = []
        unlike = 0.0
        for sight in self.sights:
            inputs = [sight.inputs[place] for place in order.places]
            try:
                found, held = _called(candidate, module, arrangement, self.facts.state, inputs, sight.training)
            except Exception as error:  # inputs that it does not take
                raise _Unfit from error
            places = places or corresponding(sight.outputs, found)
            if places is None or any(
                theirs not in found or found[theirs].shape != sight.outputs[ours].shape
                for ours, theirs in places.items()
            ):
                raise _Unfit
            new = [(sight.outputs[ours], found[theirs]) for ours, theirs in places.items()]
            if within < math.inf and any(_apart(*pair) > within for pair in new):
                return None
            pairs += new
            if sum(one.numel() for one, _ in pairs) >= TELLING and related(pairs)[2] > FAR:
                return None  # other inputs will not mend that
            if not _leaves_alike(module, arrangement, sight, held):
                unlike = UNLIKE
        assert places is not None
        scale, offset, residual = related(pairs)
        residual = max(residual, unlike)
        return Match(
            candidate, arrangement, order.places, places, scale, offset, residual, order.notes, order.deviations
        )


class _Unfit(Exception):
    """A candidate does not take such inputs, or returns outputs of other shapes, whatever its state."""


def screen_of(facts: Facts) -> Screen:
    """Return the screen for ``facts``, one for all that asks about their subject."""
    return facts.subject.once("screen", lambda: Screen(facts))


def evaluate(
    candidate: Candidate,
    module: nn.Module,
    arrangement: Arrangement,
    state: Mapping[str, Tensor],
    inputs: Sequence[Tensor],
    *,
    training: bool = False,
    seed: int = 0,
) -> Values:
    """Return the outputs of ``candidate`` by place, with its state made of the target's ``state``. What it raises
    passes through.
    """
    return _called(candidate, module, arrangement, state, inputs, training, seed)[0]


def _called(
    candidate: Candidate,
    module: nn.Module,
    arrangement: Arrangement,
    state: Mapping[str, Tensor],
    inputs: Sequence[Tensor],
    training: bool,
    seed: int = 0,
) -> tuple[Values, dict[str, Tensor]]:
    """The outputs, and the state that the call leaves."""
    module.train(training)
    with torch.no_grad(), seeded(seed):
        held = {name: tensor.clone() for name, tensor in arrangement.arrange(state).items()}
        fed = [tensor.clone() for tensor in inputs]
        # A plain function, or a module without state, is called as it is: most candidates are.
        result = functional_call(module, held, tuple(fed)) if held else candidate.reference.call(module, fed)
        return {name: tensor.detach() for name, tensor in named_tensors(result).items()}, held


def _leaves_alike(module: nn.Module, arrangement: Arrangement, sight: Sight, held: Mapping[str, Tensor]) -> bool:
    """Whether a call leaves the running statistics that the target's leaves."""
    if not sight.after:
        return True
    wanted = arrangement.arrange(sight.after)
    names = [name for name, buffer in module.named_buffers() if buffer.is_floating_point() and name in wanted]
    return all(torch.allclose(wanted[name], held[name], rtol=1e-9, atol=1e-12) for name in names)


def corresponding(ours: Values, theirs: Values) -> dict[str, str] | None:
    """Return which of the other's outputs stands for each of ours: the one nearest in value among those of its shape.
    ``None`` where one has no counterpart.
    """
    found: dict[str, str] = {}
    for name, value in ours.items():
        alike = [other for other, candidate in theirs.items() if candidate.shape == value.shape]
        if not alike:
            return None
        found[name] = alike[0] if len(alike) == 1 else min(alike, key=lambda other: _distance(value, theirs[other]))
    return found


def related(pairs: Sequence[tuple[Tensor, Tensor]]) -> tuple[float, float, float]:
    """Return scale, offset and what is left of ``ours = scale * theirs + offset``, relative to the spread of ours.

    The plain relation, 1 and 0, is kept where it holds, and where no other does.
    """
    ours = torch.cat([one.flatten() for one, _ in pairs])
    theirs = torch.cat([other.flatten() for _, other in pairs])
    if ours.is_complex() or theirs.is_complex():
        ours, theirs = (torch.view_as_real(t.to(torch.complex128)).flatten() for t in (ours, theirs))
    ours, theirs = ours.to(torch.float64), theirs.to(torch.float64)
    agree = (ours == theirs) | (ours.isnan() & theirs.isnan())
    finite = ours.isfinite() & theirs.isfinite()
    if bool((~agree & ~finite).any()):
        return 1.0, 0.0, math.inf
    ours, theirs = ours[finite], theirs[finite]
    plain = _left(ours, theirs)
    if plain <= SAME or ours.numel() < TELLING:
        return 1.0, 0.0, plain
    for with_offset in (False, True):
        scale, offset = _fitted(ours, theirs, with_offset)
        if scale != 0.0 and _left(ours, scale * theirs + offset) <= SAME:
            return scale, offset, _left(ours, scale * theirs + offset)
    return 1.0, 0.0, plain


def _fitted(ours: Tensor, theirs: Tensor, with_offset: bool) -> tuple[float, float]:
    mean_ours, mean_theirs = (ours.mean(), theirs.mean()) if with_offset else (ours.new_zeros(()), ours.new_zeros(()))
    centred = theirs - mean_theirs
    power = float(centred @ centred)
    if power == 0.0 or not math.isfinite(power):
        return 0.0, 0.0
    scale = float(centred @ (ours - mean_ours)) / power
    return scale, float(mean_ours) - scale * float(mean_theirs)


def _left(ours: Tensor, theirs: Tensor) -> float:
    spread = float((ours - ours.mean()).square().mean().sqrt()) or float(ours.abs().max()) or 1.0
    return float((ours - theirs).square().mean().sqrt()) / spread


def _apart(ours: Tensor, theirs: Tensor) -> float:
    """The greatest difference, relative to the greatest value; infinite where one alone is finite."""
    if ours.numel() == 0:
        return 0.0
    wide = torch.complex128 if ours.is_complex() or theirs.is_complex() else torch.float64
    ours, theirs = ours.to(wide), theirs.to(wide)
    agree = (ours == theirs) | (ours.isnan() & theirs.isnan())
    gap = float((ours - theirs).abs().nan_to_num(nan=math.inf).masked_fill(agree, 0.0).max())
    return gap / (float(ours.abs().nan_to_num(0.0, 0.0).max()) or 1.0)


def _distance(one: Tensor, other: Tensor) -> float:
    gap = (one - other).abs().to(torch.float64).nan_to_num(nan=math.inf)
    return float(gap.mean()) if gap.numel() else 0.0


def _preference(match: Match) -> tuple[bool, int, bool, float]:
    return match.residual > SAME, len(match.deviations), not match.is_plain, match.residual
