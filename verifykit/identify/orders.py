"""In which order a candidate may take the target's inputs, and what is to be said of that."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice, permutations
from typing import Any

from torch import nn

from verifykit.identify.facts import Facts
from verifykit.spec.building import FunctionModule
from verifykit.spec.inference.names import role_of

# What is held against something else.
_AIMS = ("target", "labels")


@dataclass(frozen=True)
class Order:
    """``places`` are positions among the target's inputs. An order other than their own is a note where names agree
    with it, a deviation where what is called a target stands for what is held against it, or two inputs for each other.
    """

    places: tuple[int, ...]
    notes: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()


def orders(facts: Facts, module: nn.Module) -> Iterator[Order]:
    """Yield the orders in which the target's inputs may be given to ``module``, their own first."""
    count = len(facts.inputs)
    yield Order(tuple(range(count)))
    if 2 <= count <= 3:
        for places in islice(permutations(range(count)), 1, None):
            yield _told(places, facts.subject.input_names, module)


def _told(places: tuple[int, ...], names: list[str], module: nn.Module) -> Order:
    ours = [names[place] for place in places]
    theirs = _parameters(module.function if isinstance(module, FunctionModule) else type(module).forward)
    pairs = list(zip(ours, theirs, strict=False))
    against = any(
        role_of(mine) in _AIMS and role_of(its) not in _AIMS and any(role_of(name) in _AIMS for name in theirs)
        for mine, its in pairs
    )
    crossed = [mine for mine, its in pairs if mine != its and mine in theirs and its in ours]
    if against or crossed:
        return Order(places, deviations=(f"{' and '.join(sorted(crossed or ours))} are exchanged",))
    return Order(places, notes=(f"its inputs are taken in the order {', '.join(ours)}",))


@cache
def _parameters(function: Any) -> tuple[str, ...]:
    try:
        return tuple(name for name in inspect.signature(function).parameters if name != "self")
    except (TypeError, ValueError):  # built into torch's C code
        return ()
