"""A thorough comparison of a target with a candidate, point by point."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import torch
from torch import Tensor

from verifykit.identify.agreement.bench import Bench, Notes, Observe
from verifykit.identify.agreement.chance import unlike
from verifykit.identify.agreement.functions import Call, Observation
from verifykit.identify.agreement.judge import Gap, Judge, number
from verifykit.identify.agreement.kinks import Kink, kink_at
from verifykit.identify.agreement.points import Point, everyday, long, not_finite, ones, unusual, wild
from verifykit.identify.candidate import Match
from verifykit.identify.catalogue.values import values_of
from verifykit.identify.facts import Facts

# Relative errors: what rounding may explain at everyday values, unsaid; and what single precision hardly holds.
SAME, SINGLE = 1e-9, 1e-8
# What is lost of digits at huge values; more is of another kind.
COARSE = 1e-2
# Half a unit of rounding in single precision: torch keeps some constants of backward formulas, 1/6, so.
CONSTANT = 2.0**-24


@dataclass(frozen=True)
class Counterexample:
    """Where the two differ, and how they were called."""

    point: Point
    call: Call
    gap: Gap


@dataclass
class Trial:
    """Compares in one precision, single or double; ``notes`` grow by what differs and is harmless, ``agreed`` by the
    points at which nothing else does. Where it is ``strict`` nothing is harmless that a user could see, but which
    subgradient is taken at a kink.
    """

    facts: Facts
    match: Match
    dtype: torch.dtype = torch.float64
    strict: bool = False
    notes: Notes = field(default_factory=Notes)
    agreed: list[Point] = field(default_factory=list)
    varied: bool = False
    second: bool = True

    def __post_init__(self) -> None:
        self.judge = Judge(self.dtype, fitted=not self.match.is_plain)
        self.bench = Bench(self.facts, self.match)
        self.name = self.match.candidate.name
        self._first: dict[str, Tensor] = {}

    def run(self) -> Counterexample | None:
        """Compare everywhere, cheap points first; stop at the first difference. What cannot be built raises."""
        subject = self.facts.subject
        own, other = self.bench.differentiable
        for name in sorted(other - own):
            text = f"it cannot be differentiated by its input {name}, as {self.name} can"
            if self.strict:
                return Counterexample(next(everyday(subject)), Call(order=1), Gap("refusal", text))
            self.notes.add("refusal", name, text)
        for point, call in self._program():
            gap = self.gap_at(point, call)
            if gap and call.training and self._is_random(point):
                gap = self._gap_in_distribution(point)
            if gap:
                return Counterexample(point, call, gap)
        for point in not_finite(subject):
            if gap := self._gap_beyond(point):
                return Counterexample(point, Call(order=0, seed=point.seed), gap)
        return None

    def _program(self) -> Iterator[tuple[Point, Call]]:
        subject = self.facts.subject
        for point in everyday(subject):
            yield point, Call(seed=point.seed, chance=point.seed)
        # Without gradients, code may go other ways.
        yield from ((point, Call(order=0, chance=point.seed)) for point in islice(everyday(subject), 1))
        # What is random in training mode is told by one point.
        for point in islice(everyday(subject), 1 if self.facts.random else None):
            yield point, Call(training=True, seed=point.seed, chance=point.seed)
        for point in wild(subject) if self.facts.parameters else ():
            yield point, Call(order=1, seed=point.seed, chance=point.seed)
        for point in long(subject, self.numbers):
            for training in (False,) if self.facts.random else (False, True):
                yield point, Call(training, 1, point.seed, point.seed)
        for point in unusual(subject, self.numbers):
            yield point, Call(order=1, seed=point.seed, chance=point.seed)

    @property
    def numbers(self) -> list[float]:
        """Numbers that the target mentions, and those that the candidate is made with: where they may change."""
        given = [float(v) for v in self.match.candidate.reference.init.values() if type(v) in (int, float)]
        known = dict.fromkeys([*given, *values_of(self.facts).numbers])
        return [number for number in known if math.isfinite(number)]

    @property
    def examples(self) -> int:
        """At how many points the two agree."""
        return len(self.agreed)

    @property
    def undecided(self) -> str | None:
        """Why agreement at all points means nothing, ``None`` where it does."""
        if not self.agreed:
            return "there is no input that both take"
        return None if self.varied else "the outputs are the same at every input"

    def gap_at(self, point: Point, call: Call) -> Gap | None:
        """Return what differs at ``point`` and is not harmless."""
        bench, dtype = self.bench, self.dtype
        own, other = bench.target(point, call, dtype), bench.candidate(point, call, dtype)
        if own is None or other is None:
            return self._refusal(own, other, point, call)
        if call.order > 1 and (own.second is None or other.second is None):
            self.second = False
            if other.second is not None:
                text = f"it refuses double backward ({own.refusal}), which {self.name} supports"
                self.notes.add("refusal", "second", text)
        if not (point.edge or point.large):
            self.judge.learn(other)
        gaps = self.judge.gaps(
            own,
            other,
            bench.in_both(bench.candidate, other, dtype, point, call),
            bench.in_both(bench.target, own, dtype, point, call),
        )
        for gap in gaps:
            if not self._is_harmless(gap, point, call):
                return gap
        for name in sorted({*own.changed} - {*other.changed}):
            text = f"it changes its input {name} in place, which {self.name} does not"
            if self.strict:
                return Gap(f"{name} after the call", text)
            self.notes.add("in place", name, text)
        self.agreed.append(point)
        self.varied |= any(self._differs(name, tensor) for name, tensor in own.outputs.items())
        return None

    def _refusal(self, own: Observation | None, other: Observation | None, point: Point, call: Call) -> Gap | None:
        """Inputs that both refuse are left out; that one does is noted, or a gap where it is the target's business."""
        if own is None and other is None:
            return None
        shapes = ", ".join(str(tuple(t.shape)) for t in point.inputs)
        text = f"does not take inputs of shape {shapes}{' in training mode' if call.training else ''}"
        if self.strict and own is None:
            return Gap("refusal", f"it {text}, which {self.name} does")
        who = "it" if own is None else self.name
        self.notes.add("refusal", f"{who} {call.training}", f"{who} {text}")
        return None

    def _differs(self, name: str, tensor: Tensor) -> bool:
        """Whether an output holds several numbers, or another one than at the first point."""
        numbers = tensor.detach().flatten()
        numbers = numbers[numbers.isfinite()]
        if numbers.numel() == 0:
            return False
        first = self._first.setdefault(name, numbers[0])
        return bool((numbers != first).any())

    def _is_harmless(self, gap: Gap, point: Point, call: Call) -> bool:
        """Whether a gap is a matter of rounding, of overflow, or of which subgradient is taken; it is noted then."""
        found = gap.found
        if found is None:
            return False
        error, special = found.error / gap.magnitude, point.edge or point.large
        text, note = self._told(gap, point), self.notes.add
        if point.huge and gap.is_finite and error < COARSE and not self.strict:
            return True
        if not gap.is_finite:
            return special and not self.strict and note("infinite", gap.tensor, text)
        if gap.tensor.startswith("second") and error < SAME:  # torch's own second derivatives hold constants of 1e-12
            return note("second", gap.tensor, f"its {gap.tensor} differs by up to {error:.1g} of its size", error)
        if not gap.in_value and gap.uniform and error < CONSTANT and self.dtype == torch.float64:
            text = f"its {gap.tensor} differs by a factor of 1 ± {error:.1g}, as of a constant in single precision"
            return note("constant", gap.tensor, text, error)
        if not self.strict and gap.own and (special or error < SAME):
            return error < SAME or note("rounding", gap.tensor, f"{text}, which its rounding explains", error)
        if not self.strict and special and error < SINGLE:
            text = f"at {point.where} its {gap.tensor} differs by up to {error:.1g} of its size"
            return note("digits", gap.tensor, text, error)
        if gap.in_value or not point.edge:
            return False
        pair, state = self.bench.pair(self.dtype), self.bench.state(point.draw)
        kink = kink_at(pair, self.judge, state, point.inputs, replace(call, order=1))
        if kink is Kink.SUBGRADIENTS:
            return note("kink", gap.tensor, f"{text}: both are subgradients of a kink there")
        return kink is Kink.INEXACT and not self.strict and note("kink", gap.tensor, f"{text}, at such a point alone")

    def _told(self, gap: Gap, point: Point) -> str:
        assert gap.found is not None
        actual, expected = number(gap.found.actual), number(gap.found.expected)
        return f"at {point.where} its {gap.tensor} is {actual} where {self.name} has {expected}"

    def _gap_beyond(self, point: Point) -> Gap | None:
        """What becomes of numbers that are not finite is noted where it is not the same; that one of the two is bounded
        where the other is not is a difference.
        """
        call = Call(order=0, seed=point.seed)
        own, other = self.bench.target(point, call, self.dtype), self.bench.candidate(point, call, self.dtype)
        if own is None or other is None:
            return None
        for gap in self.judge.gaps(own, other, lambda: None, lambda: None)[:1]:
            if gap.found is not None:
                pair = abs(gap.found.actual), abs(gap.found.expected)
                if math.inf in pair and math.isfinite(min(pair)):
                    return gap
                self.notes.add("not finite", gap.tensor, self._told(gap, point))
        return None

    def _is_random(self, point: Point) -> bool:
        seen = [self.bench.target(point, Call(True, 0, chance=seed), self.dtype) for seed in (0, 1)]
        one, other = (observed.outputs if observed else {} for observed in seen)
        return any(not torch.equal(one[name], other[name]) for name in one if name in other)

    def _gap_in_distribution(self, point: Point) -> Gap | None:
        pair = self.bench.pair(self.dtype)
        for where in (point, ones(self.facts.subject)):

            def draws(observe: Observe, where: Point = where) -> Callable[[int], Observation]:
                state = self.bench.state(where.draw)
                return lambda seed: observe(state, where.inputs, Call(True, 1, where.seed, seed))

            difference = unlike(draws(pair.observe_target), draws(pair.observe_candidate))
            if difference is not None:
                return Gap("distribution", difference)
        self.notes.add("random", "", "random in training mode, where it was compared in distribution")
        self.agreed.append(point)
        return None
