"""Candidates made of the definitions: the plain ones, then those with one deviation, then with two."""

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations, islice, product
from operator import attrgetter
from typing import Any

import torch

from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.claims import claimed
from verifykit.identify.definitions.definition import Arguments, Definition, Variant
from verifykit.identify.definitions.found_numbers import numbers_of
from verifykit.identify.definitions.registry import DEFINITIONS
from verifykit.identify.facts import Facts
from verifykit.identify.screening import SAME, screen_of
from verifykit.spec.reference import Reference
from verifykit.targets import Kind, Target

# Ways to be one operation that are looked at; where it is combined with one or two deviations, fewer. Of an operation
# that the target is not called after, fewer still.
NAMED, OTHERS = (96, 32, 6), (16, 3, 0)
# Built-ins of the same rank go first: people know them.
RANK = 50
# What comes near the outputs, relative to the greatest value, and how many that do are offered.
NEAR, NEAREST = 0.5, 3


def candidates(facts: Facts) -> Iterator[Candidate]:
    """Yield what is defined here and gives what was seen, or nearly so. What needs no deviation comes first; two
    deviations are considered only of what the target is called after.
    """
    named = claimed(facts.subject)
    screen = screen_of(facts)
    near: list[Match] = []
    equal, settled = False, False
    for deviations in (0, 1, 2):
        others = () if equal else tuple(other for other in DEFINITIONS if other not in named)
        for definition in (*named, *others):
            most = (NAMED if definition in named else OTHERS)[deviations]
            for candidate in variants(definition, facts, deviations, most):
                match = screen.matches(candidate, within=SAME if deviations else NEAR)
                if match is None:
                    continue
                if match.residual <= SAME and match.is_plain:
                    equal, settled = True, settled or definition in named
                    yield candidate
                elif not deviations:
                    near.append(match)
        if settled or (equal and not named):
            return
    yield from (match.candidate for match in sorted(near, key=lambda match: match.residual)[:NEAREST])


def variants(definition: Definition, facts: Facts, deviations: int, most: int) -> Iterator[Candidate]:
    """Yield ``definition`` with so many deviations, each in the ``most`` ways that suit ``facts`` best."""
    if not most or len(facts.inputs) not in definition.takes:
        return
    ways = list(islice(_ways(definition, facts), most))
    for chosen in _departures(definition, deviations):
        for way in ways:
            yield _candidate(definition, way, chosen, facts)


def _ways(definition: Definition, facts: Facts) -> Iterator[Arguments]:
    numbers = numbers_of(facts)
    scalar = all(output.ndim == 0 for output in facts.outputs.values())
    options: dict[str, list[Any]] = {}
    for name, values in definition.conventions.items():
        fitting = [v for v in values if name != "reduction" or (v in ("none", "rows")) != scalar]
        if name == "returned":
            fitting = [v for v in values if (v == "both") == (len(facts.outputs) > 1)]
        options[name] = fitting or list(values)
    for name, number in definition.numbers.items():
        options[name] = list(numbers.values(name, number))
    for sizes in definition.sizes(facts):
        for combination in _nearest_first(options):
            yield {**sizes, **combination}


def _nearest_first(options: Mapping[str, list[Any]]) -> Iterator[Arguments]:
    """All combinations, those first that keep to the first value of most options."""
    places = sorted(product(*(range(len(values)) for values in options.values())), key=lambda p: (_moved(p), sum(p)))
    for place in places:
        yield {name: values[index] for (name, values), index in zip(options.items(), place, strict=True)}


def _moved(place: tuple[int, ...]) -> int:
    return sum(index > 0 for index in place)


def _departures(definition: Definition, count: int) -> Iterator[dict[str, Variant]]:
    single = [(option, variant) for option, values in definition.deviations.items() for variant in values]
    for chosen in combinations(single, count):
        if len({option for option, _ in chosen}) == count:
            yield dict(chosen)


def _candidate(definition: Definition, way: Arguments, chosen: Mapping[str, Variant], facts: Facts) -> Candidate:
    init = {**way, **{option: variant.value for option, variant in chosen.items()}}
    kind: Kind = "class" if inspect.isclass(definition.make) else "function"
    reference = Reference(Target(definition.make.__name__, definition.make, kind, None), init)
    name = _written(definition, way, facts)
    return Candidate(
        name,
        reference,
        definition.operation,
        tuple(variant.phrase for variant in chosen.values()),
        RANK * (1 + len(chosen)) + name.count("="),
    )


def _written(definition: Definition, way: Arguments, facts: Facts) -> str:
    """How one writes it: torch's name where torch can be given these arguments, the defaults left out."""
    own = _parameters(definition.make)
    unusual = {name: value for name, value in way.items() if name not in own or value != own[name].default}
    builtin = definition.builtin.format(n=max(facts.inputs[0].ndim - 2, 1))
    if builtin:
        theirs = _parameters(attrgetter(builtin.removeprefix("torch."))(torch))
        if unusual.keys() <= theirs.keys():
            shown = {n: v for n, v in way.items() if n in theirs and v != theirs[n].default}
            return f"{builtin}({_listed(shown)})"
    return f"{definition.operation} ({_listed(unusual)})" if unusual else definition.operation


def _listed(arguments: Arguments) -> str:
    return ", ".join(f"{n}={v:g}" if isinstance(v, float) else f"{n}={v!r}" for n, v in arguments.items())


@cache
def _parameters(thing: Any) -> Mapping[str, inspect.Parameter]:
    if inspect.isclass(thing) and thing.__module__.startswith(__package__ or ""):  # some pass on what a base takes
        bases = [kind for kind in reversed(thing.__mro__) if kind.__module__.startswith(__package__ or "")]
        return {name: p for kind in bases for name, p in inspect.signature(kind).parameters.items()}
    try:
        return inspect.signature(thing).parameters
    except (TypeError, ValueError):  # built into torch's C code
        return {}
