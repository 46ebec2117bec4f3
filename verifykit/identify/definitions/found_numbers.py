"""The numbers that a module is written with: its arguments, its attributes, and the constants in its code."""

import inspect
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from torch import nn

from verifykit.identify.definitions.definition import Number
from verifykit.identify.facts import Facts
from verifykit.spec.building import AppliedFunction, FunctionModule

# Constants that are tried for one argument.
MOST = 4
# An argument that is below this is an eps.
TINY = 0.1


@dataclass(frozen=True)
class FoundNumbers:
    """Numbers by the names that the module has for them, and those that stand in its code without one."""

    named: Mapping[str, float]
    loose: tuple[float, ...]

    def values(self, name: str, number: Number) -> list[float]:
        """Return what the argument ``name`` may be: what the module calls so; else its usual values and the constants
        of its code. What is to be tiny is seldom any other constant: there these come first.
        """
        for known in (name, *number.names):
            for own in (known, f"_{known}", f"{known}_"):
                if own in self.named:
                    return [self.named[own]]
        loose = [value for value in self.loose if number.low < value < number.high]
        first = () if loose and number.high <= TINY else number.usual[:1]
        return list(dict.fromkeys([*first, *loose[:MOST], *number.usual]))


def numbers_of(facts: Facts) -> FoundNumbers:
    """Return the numbers that the module of ``facts`` is written with; found once."""
    return facts.subject.once("numbers it is written with", lambda: _found(facts))


def _found(facts: Facts) -> FoundNumbers:
    named: dict[str, float] = {}
    loose: list[float] = []
    for function in _with_helpers(_functions(facts.module)):
        defaults = [(p.name, p.default) for p in _parameters(function) if p.default is not p.empty]
        named |= _real(dict(defaults))
        loose += [abs(value) for value in _constants(function.__code__)]
        loose += list(_real({n: function.__globals__.get(n) for n in function.__code__.co_names}).values())
    for module in facts.module.modules():
        named |= _real(vars(module))
    if isinstance(facts.module, FunctionModule | AppliedFunction):
        named |= _real(getattr(facts.module, "keywords", {}))
    named |= _real(facts.subject.spec.init)
    return FoundNumbers(named, tuple(dict.fromkeys(loose)))


def _functions(module: nn.Module) -> Iterator[FunctionType]:
    """The functions that somebody wrote for it: its own methods and those of its parts, torch's own left out."""
    if isinstance(module, FunctionModule | AppliedFunction):
        function: Any = module.function
        yield from (f for f in (function, getattr(function, "forward", None)) if isinstance(f, FunctionType))
        return
    for part in module.modules():
        for kind in type(part).__mro__:
            if kind.__module__.partition(".")[0] not in ("torch", "builtins"):
                yield from (method for method in vars(kind).values() if isinstance(method, FunctionType))


def _with_helpers(functions: Iterator[FunctionType]) -> Iterator[FunctionType]:
    """These, and the functions of the same file that they name."""
    seen: set[FunctionType] = set()
    waiting = list(functions)
    while waiting:
        function = waiting.pop(0)
        if function in seen:
            continue
        seen.add(function)
        yield function
        named = (function.__globals__.get(name) for name in function.__code__.co_names)
        waiting += [f for f in named if isinstance(f, FunctionType) and f.__module__ == function.__module__]


def _parameters(function: FunctionType) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _constants(code: CodeType) -> Iterator[float]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        else:
            yield from _real({"": constant}).values()


def _real(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
