"""Target and candidate side by side at a point, in any precision, and what is noted on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from verifykit.identify.agreement.functions import Call, Observation, Pair, Refused
from verifykit.identify.agreement.judge import Both
from verifykit.identify.agreement.points import Point
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts, moved
from verifykit.spec.domain import OneOf

Observe = Callable[[Mapping[str, Tensor], Sequence[Tensor], Call], Observation]


class Bench:
    """The target of ``facts`` and the candidate of ``match``, made once for each precision."""

    def __init__(self, facts: Facts, match: Match) -> None:
        self.facts = facts
        self.match = match
        self._pairs: dict[torch.dtype, Pair] = {}
        self._states: dict[int, dict[str, Tensor]] = {}

    def pair(self, dtype: torch.dtype) -> Pair:
        """The two in ``dtype``."""
        if dtype not in self._pairs:
            self._pairs[dtype] = Pair(self.facts, self.match, dtype, self.differentiable[0] & self.differentiable[1])
        return self._pairs[dtype]

    @cached_property
    def differentiable(self) -> tuple[frozenset[str], frozenset[str]]:
        """The inputs that target and candidate can be differentiated by: some losses refuse that for their target.
        Those that are one of few numbers are left out: between these, nothing says what the function is.
        """
        facts = self.facts
        names = frozenset(e.name for e in facts.subject.spec.inputs if not isinstance(e.domain, OneOf))
        pair = Pair(facts, self.match, torch.float64, names)

        def accepted(observe: Observe, wanted: frozenset[str]) -> frozenset[str]:
            pair.differentiated = wanted
            try:
                observe(facts.state, facts.inputs, Call(order=1))
            except Refused:
                single = len(wanted) == 1
                return frozenset() if single else frozenset(n for n in wanted if accepted(observe, frozenset({n})))
            return wanted

        return accepted(pair.observe_target, names), accepted(pair.observe_candidate, names)

    def state(self, draw: int) -> Mapping[str, Tensor]:
        """Parameters and running statistics, exact in single precision; draw 0 is that of the facts, those below it are
        wild.
        """
        if draw not in self._states:
            facts = self.facts
            state = moved(facts.module, facts.running, 1000 + draw, wild=draw < 0) if draw else facts.state
            self._states[draw] = {n: t.float().double() if t.is_floating_point() else t for n, t in state.items()}
        return self._states[draw]

    def target(self, point: Point, call: Call, dtype: torch.dtype) -> Observation | None:
        """What the target gives, ``None`` where it refuses."""
        return self._unless_refused(self.pair(dtype).observe_target, point, call)

    def candidate(self, point: Point, call: Call, dtype: torch.dtype) -> Observation | None:
        """What the candidate gives, ``None`` where it refuses."""
        return self._unless_refused(self.pair(dtype).observe_candidate, point, call)

    def in_both(
        self,
        observe: Callable[[Point, Call, torch.dtype], Observation | None],
        seen: Observation,
        dtype: torch.dtype,
        point: Point,
        call: Call,
    ) -> Both:
        """What one of the two gives in double and in single precision, ``seen`` being what it gives in ``dtype``."""

        def both() -> tuple[Observation, Observation] | None:
            try:
                other = observe(point, call, torch.float32 if dtype == torch.float64 else torch.float64)
            except Exception:  # it cannot be built in that precision
                return None
            if other is None:
                return None
            return (seen, other) if dtype == torch.float64 else (other, seen)

        return both

    def _unless_refused(self, observe: Observe, point: Point, call: Call) -> Observation | None:
        try:
            return observe(self.state(point.draw), point.inputs, call)
        except Refused:
            return None


@dataclass(frozen=True)
class _Note:
    text: str
    error: float


class Notes:
    """What differs and is harmless: of each kind, for each tensor, the worst."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Note] = {}

    def add(self, kind: str, tensor: str, text: str, error: float = 0.0) -> bool:
        """Keep ``text`` unless a worse one is known. Returns true, for it is harmless."""
        before = self._kept.get((kind, tensor))
        if before is None or error > before.error:
            self._kept[kind, tensor] = _Note(text, error)
        return True

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, in the order in which they came."""
        return tuple(note.text for note in self._kept.values())
