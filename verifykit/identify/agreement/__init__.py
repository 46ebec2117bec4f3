"""Whether a candidate that gave the target's outputs once does so everywhere: to rounding, with all its gradients."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from verifykit.identify.agreement.account import domain, evidence, smallest, text
from verifykit.identify.agreement.points import SMALL
from verifykit.identify.agreement.trial import Trial
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts


@dataclass(frozen=True)
class Agreement:
    """What a thorough comparison established: over what ``domain`` it was made, at how many points the two agree, and
    the greatest error there relative to the greatest value.

    Where it does not hold, ``counterexample`` says in one line where and by how much, ``evidence`` gives the numbers;
    ``edge`` says that they agree but at small values or the edges of the domains. ``notes`` name harmless differences:
    which subgradient is taken, digits lost, what becomes of NaN.
    """

    holds: bool
    domain: str
    examples: int
    worst: float
    counterexample: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    edge: bool = False


def agreement(facts: Facts, match: Match) -> Agreement:
    """Compare the target of ``facts`` with the candidate of ``match`` in double precision: values, gradients of inputs
    and parameters, double backward, running statistics; at several sizes, seeds and draws of the parameters, at large
    and small values and the edges of the domains, in eval and in training mode.

    Outputs that never vary agree with nothing.
    """
    trial = Trial(facts, match)
    found = trial.run()
    seen = Agreement(False, domain(trial), trial.examples, trial.judge.worst, notes=trial.notes.texts)
    if found is None:
        return replace(seen, holds=trial.undecided is None, counterexample=trial.undecided)
    edge = found.point.edge or found.point.where == SMALL
    smaller = smallest(trial, found)
    return replace(seen, counterexample=text(trial, smaller), evidence=evidence(trial, smaller), edge=edge)
