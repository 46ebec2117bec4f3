"""A first look at one candidate: does it give the target's outputs where these were seen, or nearly so?"""

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, permutations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.experiments.observation import outputs_of
from verifykit.identify.candidate import Arrangement, Candidate, Match
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.arrangements import arrangements
from verifykit.spec.inference.names import role_of
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors

# A candidate that agrees so well at a first look is looked at thoroughly; rounding is judged there.
SAME = 1e-8
# Values that a constant factor and an offset are told from, and calls that may be made for them.
ENOUGH, CALLS = 8, 8
# What leaves so much of the spread is not even near.
FAR = 0.5
# Ways to arrange the state of one candidate that are tried.
ARRANGEMENTS = 64

Values = dict[str, Tensor]


@dataclass(frozen=True)
class Sight:
    """One call of the target: its inputs and outputs, in eval or training mode."""

    inputs: tuple[Tensor, ...]
    outputs: Values
    training: bool


class Screen:
    """Holds what a target was seen to give, and compares candidates with it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.sights = list(_sights(facts))

    @cached_property
    def varied(self) -> bool:
        """Whether anything can be told from the outputs: they are finite numbers, and not all the same."""
        joined = torch.cat([value.flatten().to(torch.complex128) for s in self.sights for value in s.outputs.values()])
        finite = joined[joined.isfinite()]
        return bool(finite.numel() > 1 and (finite != finite[0]).any())

    def matches(self, candidate: Candidate) -> Match | None:
        """Return how ``candidate`` gives the outputs, exactly where it does, else the nearest that it comes."""
        facts = self.facts
        try:
            module = candidate.reference.build(torch.float64, facts.subject.device, seed=facts.subject.seed)
        except Exception:  # arguments that it does not take
            return None
        best: Match | None = None
        for arrangement in islice(arrangements(facts, module), ARRANGEMENTS):
            for order in orders(facts, module):
                match = self._match(candidate, module, arrangement, order)
                if match is None:
                    continue
                if best is None or _preference(match) < _preference(best):
                    best = match
                if match.residual <= SAME and not match.deviations and match.is_plain:
                    return match
        return best

    def _match(
        self, candidate: Candidate, module: nn.Module, arrangement: Arrangement, order: tuple[int, ...]
    ) -> Match | None:
        places: Mapping[str, str] | None = None
        pairs: list[tuple[Tensor, Tensor]] = []
        for sight in self.sights:
            try:
                found = evaluate(candidate, module, arrangement, self.facts.state, _ordered(sight.inputs, order),
                                 training=sight.training)  # fmt: skip
            except Exception:  # inputs that it does not take
                return None
            places = places or corresponding(sight.outputs, found)
            if places is None:
                return None
            for ours, theirs in places.items():
                if theirs not in found or found[theirs].shape != sight.outputs[ours].shape:
                    return None
                pairs.append((sight.outputs[ours], found[theirs]))
            if sum(one.numel() for one, _ in pairs) >= ENOUGH and related(pairs)[2] > FAR:
                return None  # other inputs will not mend that
        assert places is not None
        scale, offset, residual = related(pairs)
        exchanged = exchange(self.facts, module, order)
        return Match(candidate, arrangement, order, places, scale, offset, residual, *exchanged)


def orders(facts: Facts, module: nn.Module) -> Iterator[tuple[int, ...]]:
    """Yield the orders in which the target's inputs may be given to ``module``, their own first."""
    count = len(facts.inputs)
    yield tuple(range(count))
    if 2 <= count <= 3:
        yield from islice(permutations(range(count)), 1, None)


def exchange(facts: Facts, module: nn.Module, order: tuple[int, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is to be said of an order of inputs other than their own: as a note where names agree with it, as a
    deviation where what is called a target stands for what is held against it.
    """
    if order == tuple(range(len(order))):
        return (), ()
    ours = [facts.subject.input_names[position] for position in order]
    text = f"its inputs are taken in the order {', '.join(ours)}"
    try:
        theirs = list(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):
        theirs = []
    aims = ("target", "labels")
    against = any(
        role_of(mine) in aims and role_of(its) not in aims and any(role_of(name) in aims for name in theirs)
        for mine, its in zip(ours, theirs, strict=False)
    )
    return ((), (f"{' and '.join(sorted(ours))} are exchanged",)) if against else ((text,), ())


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
    module.train(training)
    with torch.no_grad(), seeded(seed):
        held = {name: tensor.clone() for name, tensor in arrangement.arrange(state).items()}
        fed = [tensor.clone() for tensor in inputs]
        result = functional_call(module, held, tuple(fed))
        return {name: tensor.detach() for name, tensor in named_tensors(result).items()}


def corresponding(ours: Values, theirs: Values) -> dict[str, str] | None:
    """Return which of the other's outputs stands for each of ours: the one nearest in value among those of its shape.
    ``None`` where one has no counterpart.
    """
    found: dict[str, str] = {}
    for name, value in ours.items():
        alike = [other for other, candidate in theirs.items() if candidate.shape == value.shape]
        if not alike:
            return None
        found[name] = min(alike, key=lambda other: _distance(value, theirs[other]))
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
    if plain <= SAME or ours.numel() < ENOUGH:
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


def _distance(one: Tensor, other: Tensor) -> float:
    gap = (one - other).abs().to(torch.float64).nan_to_num(nan=math.inf)
    return float(gap.mean()) if gap.numel() else 0.0


def _ordered(inputs: Sequence[Tensor], order: tuple[int, ...]) -> list[Tensor]:
    return [inputs[position] for position in order]


def _preference(match: Match) -> tuple[bool, int, bool, float]:
    return match.residual > SAME, len(match.deviations), not match.is_plain, match.residual


def _sights(facts: Facts) -> Iterator[Sight]:
    """What was seen: as many calls as a factor is told from, and one in training mode where that repeats."""
    yield Sight(facts.inputs, facts.outputs, False)
    seen = sum(value.numel() for value in facts.outputs.values())
    for seed in range(1, CALLS):
        if seen >= ENOUGH:
            break
        inputs = facts.subject.draw(seed=seed)
        outputs = outputs_of(facts.subject, facts.module, inputs)
        yield Sight(inputs, outputs, False)
        seen += sum(value.numel() for value in outputs.values())
    if not facts.random:
        try:
            with torch.no_grad():
                outputs = facts.evaluate(facts.state, facts.inputs, training=True)
        except Exception:  # it takes other inputs in training mode
            return
        if outputs.keys() == facts.outputs.keys():
            yield Sight(facts.inputs, outputs, True)
