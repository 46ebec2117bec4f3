"""Finds constructor arguments: candidates for each from annotation, docstring and name, tried and repaired by what the
constructor says.
"""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from verifykit.errors import SpecError, UserError
from verifykit.spec.building import construct
from verifykit.spec.inference.candidates import candidates, documented_types, type_hints
from verifykit.spec.inference.examples import Example
from verifykit.spec.inference.source import constants, words
from verifykit.spec.randomness import seeded
from verifykit.targets import Target

ATTEMPTS = 120


@dataclass(frozen=True)
class Argument:
    """A required constructor argument: values to try in order, each with where the idea came from."""

    name: str
    values: list[tuple[Any, str]]


@dataclass
class Constructed:
    """A module and the arguments that made it; ``example`` is the use that they were taken from."""

    init: dict[str, Any]
    sources: dict[str, str]
    module: nn.Module
    attempts: int
    example: Example | None = None


def constructions(
    target: Target, given: Mapping[str, Any], seed: int, asked: Sequence[str] = ()
) -> Iterator[Constructed]:
    """Yield ways to construct ``target`` that work, the likeliest first; ``asked`` are arguments to give although they
    have a default.

    Raises:
        SpecError: none works; it names what could not be found out and quotes the constructor.
    """
    arguments = required_arguments(target, given, asked)
    by_name = {argument.name: argument for argument in arguments}
    seen: set[tuple[int, ...]] = set()
    waiting = [_told_apart(arguments), dict.fromkeys(by_name, 0)]
    last: SpecError | None = None
    attempts = found = 0
    while waiting and attempts < ATTEMPTS:
        chosen = waiting.pop(0)
        key = tuple(chosen.values())
        if key in seen:
            continue
        seen.add(key)
        attempts += 1
        picked = {name: by_name[name].values[index] for name, index in chosen.items()}
        init = {**given, **{name: value for name, (value, _) in picked.items()}}
        try:
            with seeded(seed):
                module = construct(target, init)
        except SpecError as error:
            last = error
            if wanted := _asked_for(target, str(error), {*given, *by_name}):
                yield from constructions(target, given, seed, [*by_name, *wanted])
                return
            waiting = [*_repaired(by_name, chosen, str(error)), *waiting]
            continue
        found += 1
        yield Constructed(init, {f"init.{name}": source for name, (_, source) in picked.items()}, module, attempts)
        waiting += _varied(by_name, chosen)
    if not found and last is not None and not arguments:
        raise last
    if not found:
        raise SpecError(_unconstructible(target, [a.name for a in arguments], attempts, last))


def _told_apart(arguments: Sequence[Argument]) -> dict[str, int]:
    """The first values, other ones for sizes that an earlier argument has taken, so that roles can be told apart."""
    taken: set[Any] = set()
    chosen = {}
    for argument in arguments:
        sizes = [n for n, (v, source) in enumerate(argument.values) if source == "name" and type(v) is int and v >= 4]
        fresh = (n for n in sizes if argument.values[n][0] not in taken)
        chosen[argument.name] = next(fresh, 0) if sizes[:1] == [0] else 0
        taken.add(repr(argument.values[0][0]) if not sizes else argument.values[chosen[argument.name]][0])
    return chosen


def required_arguments(target: Target, given: Mapping[str, Any], asked: Sequence[str] = ()) -> list[Argument]:
    """Return the arguments without a default that were not given, and those ``asked`` for."""
    if target.kind == "instance":
        return []
    if target.kind in ("autograd.Function", "function"):
        hints = type_hints(target.obj.forward if target.kind == "autograd.Function" else target.obj)
        held = [name for name in constants(target.obj, hints) if name not in given]
        return [Argument(name, candidates(name, hints.get(name), 0)) for name in held]
    try:
        parameters = inspect.signature(target.obj).parameters.values()
    except (TypeError, ValueError):
        return []
    hints = type_hints(target.obj)
    documented = documented_types(target.obj)
    names = [
        p.name
        for p in parameters
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and (p.default is p.empty or p.name in asked)
    ]
    names += [name for name in asked if name not in names]
    told = words(target.obj)
    return [
        Argument(name, candidates(name, hints.get(name, documented.get(name)), 0, told.get(name, ()), target.obj))
        for name in names
        if name not in given
    ]


def optional_arguments(target: Target, message: str, known: Collection[str]) -> list[str]:
    """Return the first argument with a default of ``None`` that the message mentions, in a list; else nothing."""
    try:
        parameters = inspect.signature(target.obj).parameters.values()
    except (TypeError, ValueError):
        return []
    words = re.sub(r"[_\s]+", " ", message)
    for p in parameters:
        spaced = p.name.replace("_", " ")
        if p.default is None and p.name not in known and re.search(rf"\b{re.escape(spaced)}\b", words):
            return [p.name]
    return []


def _asked_for(target: Target, message: str, known: Collection[str]) -> list[str]:
    """Arguments that a constructor complains it lacks, where its signature does not tell."""
    missing = re.search(r"missing \d+ required (?:positional|keyword-only) arguments?: (.*)", message)
    if missing:
        return [name for name in re.findall(r"'(\w+)'", missing[1]) if name not in known]
    told = message.partition(": ")[2]
    if _takes_any(target) and (keys := re.findall(r"KeyError: '(\w+)'|`(\w+)` must be", told)):
        return [name for key in keys for name in key if name and name not in known]
    return optional_arguments(target, told, known)


def _takes_any(target: Target) -> bool:
    try:
        return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(target.obj).parameters.values())
    except (TypeError, ValueError):
        return False


def _repaired(by_name: Mapping[str, Argument], chosen: dict[str, int], message: str) -> Iterator[dict[str, int]]:
    """Other choices for the arguments that the message names; for all of them where it names none."""
    told = message.partition(": ")[2] or message
    named = [name for name in by_name if re.search(rf"\b{re.escape(name)}\b", told)]
    _offer(by_name, named, chosen, told)
    for name in named or by_name:
        for index in range(chosen[name] + 1, len(by_name[name].values))[: 12 if named else 5]:
            yield {**chosen, name: index}


def _offer(by_name: Mapping[str, Argument], named: Sequence[str], chosen: Mapping[str, int], told: str) -> None:
    """Put what the complaint quotes or counts next in line for the arguments that it may be about."""
    quoted = [(word, "its own message") for word in re.findall(r"['\"`](\w+)['\"`]", told) if word not in by_name]
    counted = [(int(n), "its own message") for n in re.findall(r"(?<![\d.])\d{1,3}(?![\d.])", told)]
    for name in named or by_name:
        values, next_one = by_name[name].values, chosen[name] + 1
        current = values[chosen[name]][0]
        offered = quoted if isinstance(current, str) else counted if named and type(current) is int else []
        values[next_one:next_one] = [pair for pair in offered[:6] if pair[0] not in [value for value, _ in values]]


def _varied(by_name: Mapping[str, Argument], chosen: dict[str, int]) -> Iterator[dict[str, int]]:
    for name in by_name:
        for index in range(len(by_name[name].values))[:6]:
            if index != chosen[name]:
                yield {**chosen, name: index}


def _unconstructible(target: Target, names: list[str], attempts: int, last: UserError | None) -> str:
    asked = " ".join(f"--init {name}=…" for name in names)
    told = f" Last: {last}" if last else ""
    return f"{target.name}: no constructor arguments found in {attempts} attempts. Give {asked or 'a target'}.{told}"
