"""Equal to rounding in single or double precision, judged strictly: what a user could see is a difference."""

from dataclasses import dataclass
from typing import Any

import torch

from verifykit.identify.agreement.account import evidence, smallest, text
from verifykit.identify.agreement.functions import Call
from verifykit.identify.agreement.points import Point
from verifykit.identify.agreement.trial import Counterexample, Trial
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts
from verifykit.spec.strategies import Case, cases, cast, refute

# Examples that are searched for a counterexample, beside the points that are always looked at.
EXAMPLES = 40


@dataclass(frozen=True)
class Equality:
    """Whether target and reference are equal in one precision. ``difference`` says where they are not, with the numbers
    in ``evidence``; ``undecided`` why agreement would mean nothing. ``worst`` is the greatest error relative to the
    greatest value, ``ulps`` that of the values in units of the last place.
    """

    dtype: torch.dtype
    examples: int
    worst: float
    ulps: int
    notes: tuple[str, ...]
    difference: str | None = None
    evidence: dict[str, Any] | None = None
    undecided: str | None = None


class _Differs(Exception):
    def __init__(self, found: Counterexample) -> None:
        super().__init__(found.gap.text)
        self.found = found


def equality(facts: Facts, match: Match, dtype: torch.dtype) -> Equality:
    """Compare the target of ``facts`` with the reference of ``match`` in ``dtype``, single or double precision, at
    chosen points and at drawn ones; the counterexample is made small.
    """
    trial = Trial(facts, match, dtype, strict=True)
    found = trial.run()
    seen = trial.notes.texts
    if found is not None:
        found = smallest(trial, found)
    else:
        found = _searched(trial)
        seen = trial.notes.texts
    difference = text(trial, found) if found else None
    numbers = evidence(trial, found) if found else None
    undecided = None if found else trial.undecided
    return Equality(dtype, trial.examples, trial.judge.worst, trial.judge.ulps, seen, difference, numbers, undecided)


def _searched(trial: Trial) -> Counterexample | None:
    subject, call = trial.facts.subject, Call(order=1)

    def holds(case: Case) -> None:
        inputs = cast(cast(case.inputs, torch.float32, subject.device), torch.float64, subject.device)
        point = Point("", case.sizes, inputs, edge=True)
        if gap := trial.gap_at(point, call):
            raise _Differs(Counterexample(point, call, gap))

    refuted = refute(holds, cases(subject.spec), examples=EXAMPLES, seed=subject.seed)
    if refuted is None:
        return None
    if isinstance(refuted[1], _Differs):
        return refuted[1].found
    raise refuted[1]
