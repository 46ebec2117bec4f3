"""The built-in operations of torch that a module may be, the likeliest first."""

import difflib
import heapq
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from torch import Tensor

from verifykit.identify.candidate import Candidate
from verifykit.identify.catalogue.casting import with_casts
from verifykit.identify.catalogue.constructions import Arguments, constructions, takes
from verifykit.identify.catalogue.deriving import with_derived_numbers
from verifykit.identify.catalogue.factory import Factory
from verifykit.identify.catalogue.functions import function_factories
from verifykit.identify.catalogue.modules import module_factories
from verifykit.identify.facts import Facts
from verifykit.spec.reference import Reference

# Names that share this much, from 0 to 1, are taken to speak of one operation.
_ALIKE = 0.6

# Of each operation so many ways to make it are asked whether they come near.
_ASKED = 5


def candidates(facts: Facts) -> Iterator[Candidate]:
    """Yield the operations built into torch, with arguments, that the module of ``facts`` may be: their state, inputs
    and outputs have sizes that fit.

    Those whose names are like that of the target come first, then the others by the number of their arguments.
    Functions are left out where a module of the same name fits.
    """
    label = _plain(facts.subject.target.label)
    modules = [factory for factory in module_factories() if takes(factory, facts)]
    ranked = sorted(modules, key=lambda factory: -_likeness(factory, label))
    alike = [factory for factory in ranked if _likeness(factory, label) >= _ALIKE]
    fitted: dict[str, list[tuple[Factory, Candidate]]] = {}
    for factory in alike:
        yield from _candidates(factory, facts, fitted)
    yield from heapq.merge(*(_candidates(f, facts, fitted) for f in ranked[len(alike) :]), key=lambda c: c.rank)
    for factory, arguments in with_derived_numbers(chain.from_iterable(fitted.values()), facts):
        yield _candidate(factory, facts, arguments)
    functions = [f for f in function_factories(len(facts.inputs)) if takes(f, facts)]
    functions.sort(key=lambda factory: -_likeness(factory, label))
    for factory in functions:
        if _plain(factory.name) not in fitted:
            yield from _candidates(factory, facts, fitted)


def _candidates(
    factory: Factory, facts: Facts, fitted: dict[str, list[tuple[Factory, Candidate]]]
) -> Iterator[Candidate]:
    found = constructions(factory, facts)
    first = next(found, None)
    if first is None and (cast := with_casts(factory, facts)) is not None:
        factory, found = cast, constructions(cast, facts)
    for arguments in chain(() if first is None else (first,), found):
        candidate = _candidate(factory, facts, arguments)
        alike = fitted.setdefault(_plain(factory.name), [])
        if len(alike) < _ASKED:
            alike.append((factory, candidate))
        yield candidate


def _candidate(factory: Factory, facts: Facts, arguments: Arguments) -> Candidate:
    rank = len(arguments) - sum(argument.required for argument in factory.arguments)
    return Candidate(
        written(factory, arguments, facts.subject.input_names),
        Reference(factory.target, arguments),
        factory.path,
        rank=rank + (0 if factory.is_class else 10),
    )


def written(factory: Factory, arguments: Arguments, inputs: list[str]) -> str:
    """Return how one writes it: ``torch.nn.Linear(6, 4)``, ``torch.nn.functional.softmax(x, dim=-1)``."""
    required = [a.name for a in factory.arguments if a.required]
    placed = [_value(arguments[name]) for name in required] if factory.is_class else []
    options = [a.name for a in factory.arguments if a.name in arguments and not (placed and a.required)]
    named = [f"{name}={_value(arguments[name])}" for name in options]
    given = factory.passed.format(*inputs, inputs=", ".join(inputs))
    if factory.is_class and given:  # what it is called with is not what it is made with
        called = [text for text in named if text.startswith("is_")]
        made = [*placed, *(text for text in named if text not in called)]
        return f"{factory.path}({', '.join(made)})({', '.join([given, *called])})"
    if factory.is_class:
        return f"{factory.path}({', '.join([*placed, *named])})"
    return f"{factory.path}({', '.join([given, *named])})"


def _value(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"torch.tensor({value.tolist()!r})" if value.numel() <= 8 else "torch.tensor(...)"
    return repr(value)


def _likeness(factory: Factory, label: str) -> float:
    return difflib.SequenceMatcher(None, _plain(factory.name), label).ratio()


def _plain(name: str) -> str:
    """``name`` without what differs between a module and the function of the same name."""
    return re.sub(r"[_\d]|loss$|^(my|custom|manual|naive|simple)", "", name.lower())
