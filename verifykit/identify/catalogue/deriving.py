"""Arguments that an author worked out of what the module mentions, for the operations that come near to it."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.catalogue.constructions import Arguments
from verifykit.identify.catalogue.derived import derived_reals
from verifykit.identify.catalogue.factory import Factory
from verifykit.identify.catalogue.values import values_of
from verifykit.identify.facts import Facts
from verifykit.identify.screening import SAME, screen_of

# What comes near the outputs, relative to the greatest value; how many such operations are told other numbers, and how
# many of these for each argument.
_NEAR, _NEAREST, _NUMBERS = 0.5, 6, 24


def with_derived_numbers(
    fitted: Iterable[tuple[Factory, Candidate]], facts: Facts
) -> Iterator[tuple[Factory, Arguments]]:
    """Yield those of ``fitted`` that come nearest to the outputs, each with one of its real numbers worked out."""
    values = values_of(facts)
    for match, factory in _nearest(fitted, facts):
        given = match.candidate.reference.init
        sizes = (*(value for value in given.values() if type(value) is int), *values.inner)
        known = dict.fromkeys((*values.floats, *(value for value in given.values() if type(value) is float)))
        for name in _numbers(factory):
            for number in islice(derived_reals(known, map(float, sizes)), _NUMBERS):
                yield factory, {**given, name: number}


def _nearest(fitted: Iterable[tuple[Factory, Candidate]], facts: Facts) -> list[tuple[Match, Factory]]:
    """What comes nearest, each operation once; nothing that returns its input as it is, as a dropout of 0 does."""
    screen = screen_of(facts)
    best: dict[str, tuple[Match, Factory]] = {}
    idle = -1.0
    for factory, candidate in fitted:
        if not _numbers(factory) and factory.name != "Identity":
            continue
        match = screen.matches(candidate, within=_NEAR)
        if match is None:
            continue
        if factory.name == "Identity":
            idle = match.residual
        elif factory.path not in best or match.residual < best[factory.path][0].residual:
            best[factory.path] = match, factory
    near = [entry for entry in best.values() if abs(entry[0].residual - idle) > SAME]
    return sorted(near, key=lambda entry: entry[0].residual)[:_NEAREST]


def _numbers(factory: Factory) -> list[str]:
    """Its arguments that are real numbers which somebody may work out."""
    return [a.name for a in factory.arguments if a.kind == "float" and not re.search(r"dropout|eps|momentum", a.name)]
