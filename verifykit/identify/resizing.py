"""A candidate made for one size, where the target takes any: does it follow the target to other sizes?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from verifykit.experiments.observation import outputs_of
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts
from verifykit.identify.spot import agrees
from verifykit.spec.reference import Reference

# How much a free size is changed by: other residues of small divisors.
STEPS = (3, 4)


def follows(facts: Facts, match: Match) -> bool:
    """Return whether the candidate gives the outputs at other sizes of each free symbol as well, where it takes them or
    can be made for them: arguments that equal the size of the symbol change with it. Sizes that the target refuses, or
    for which no candidate can be made, say nothing.
    """
    usual = facts.subject.spec.usual_sizes
    for symbol, size in usual.items():
        for step in STEPS:
            sizes = {**usual, symbol: size + step}
            agrees = _agrees(facts, match, match.candidate.reference, sizes)
            if agrees is None:
                init = {
                    name: _resized(value, size, size + step) for name, value in match.candidate.reference.init.items()
                }
                agrees = _agrees(facts, match, replace(match.candidate.reference, init=init), sizes)
            if agrees is False:
                return False
    return True


def _agrees(facts: Facts, match: Match, reference: Reference, sizes: Mapping[str, int]) -> bool | None:
    """Whether a candidate gives the target's outputs at ``sizes``; ``None`` where one of them refuses these."""
    subject = facts.subject
    try:
        inputs = subject.draw(sizes, seed=7)
        ours = outputs_of(subject, facts.module, inputs)
        return agrees(facts, match, ours, inputs, reference=reference)
    except Exception:  # sizes that one of them does not take
        return None


def _resized(value: Any, size: int, other: int) -> Any:
    if type(value) is int:
        return other if value == size else value
    if isinstance(value, list | tuple):
        return type(value)(_resized(item, size, other) for item in value)
    return value
