"""Finds what to feed a module: shapes, dtypes and domains for each forward argument, tried and repaired."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verifykit.spec.effort import effort
from verifykit.spec.inference.documented import Documented
from verifykit.spec.inference.names import Claim
from verifykit.spec.inference.preferring import preferred
from verifykit.spec.inference.repairing import repaired
from verifykit.spec.inference.roles import completions
from verifykit.spec.inference.shapes import shapes_for
from verifykit.spec.inference.trying import Caller, Entries, Outcome
from verifykit.spec.model import InputSpec, Spec

# Attempts and seconds for one construction, attempts after which no more is looked for beside what works (counted, not
# timed, so that a slow machine finds the same), and complaints followed one after the other.
ATTEMPTS, SECONDS, ENOUGH = 6000, 4.0, 800
REPAIRS = 4
# Inputs that differ and all meet the same complaint, numbers aside, after which it is taken not to be about them.
DEAF = 40


@dataclass(frozen=True)
class Found:
    """Entries that work, with what else worked, and how many attempts it took."""

    entries: Entries
    others: list[Entries]
    attempts: int


class Exhausted(Exception):
    """Nothing worked; ``last`` is the most telling complaint, ``tried`` what was fed, ``told`` all that was said."""

    def __init__(self, attempts: int, tried: str, last: Exception | None, told: str = "") -> None:
        super().__init__(str(last))
        self.attempts, self.tried, self.last, self.told = attempts, tried, last, told


@dataclass(frozen=True)
class Knowledge:
    """What is known of inputs before any is tried: those ``fixed``, what the class name claims, the shapes that the
    docstring gives, and dtype and number of dimensions that examples show.
    """

    fixed: Mapping[str, InputSpec]
    claim: Claim
    documented: Mapping[str, list[Documented]]
    kinds: Mapping[str, tuple[str, int]]

    def surprise(self, entries: Entries) -> int:
        """How many entries are of another kind than examples show."""
        shown = ((entry, self.kinds[entry.name]) for entry in entries if entry.name in self.kinds)
        return sum((entry.dtype, len(entry.shape)) != kind for entry, kind in shown)


def search(call: Caller, arguments: Sequence[str], knowledge: Knowledge) -> Found:
    """Return inputs for ``arguments`` that the module accepts.

    Raises:
        Exhausted: nothing worked within the bounds.
    """
    attempts, started = 0, effort()
    if not arguments:
        raise Exhausted(0, "", None)
    names = (arguments[0].lower(), "input", "x")
    fixed, claim, first = knowledge.fixed, knowledge.claim, arguments[0]
    documented = next((told for name, told in knowledge.documented.items() if name in names), [])
    if first in knowledge.kinds and not documented:
        documented = [Documented(knowledge.kinds[first][1], open=False, batched=True)]
    works: dict[Entries, int] = {}
    ends: list[Entries] = []
    telling: tuple[str, Exception | None] = ("", None)
    complaints: dict[str, int] = {}
    for odd in (False, True):
        for shape in [fixed[first].shape] if first in fixed else shapes_for(call, claim, documented):
            spent = effort() - started
            if attempts >= (ENOUGH if works else ATTEMPTS) or spent > SECONDS:
                break
            if effort() > call.deadline:
                break
            if works and any(isinstance(dim, int) for dim in shape[2:]):  # large images are for what needs them
                break
            ways = sorted(completions(arguments, shape, fixed, call, claim, odd=odd), key=knowledge.surprise)
            plain = next(_working(call, ways), None) if len(arguments) > 1 else None
            for entries in [plain] if plain else ways:
                found, depth, tried, outcome = _repair(call, entries, fixed)
                attempts += tried
                if found is not None:
                    works[found] = min(depth, works.get(found, depth))
                    break
                alike = re.sub(r"-?\d+", "#", str(outcome.error))
                complaints[alike] = complaints.get(alike, 0) + 1
                if outcome.ends:
                    ends.append(entries)
                elif telling[1] is None:
                    telling = (", ".join(map(str, entries)), outcome.error)
                if attempts >= ATTEMPTS or effort() - started > SECONDS:
                    break
            if len(complaints) == 1 and not works and sum(complaints.values()) >= DEAF:
                break
        if works:
            break
    if not works and not ends:
        raise Exhausted(attempts, *telling, "\n".join(complaints))
    ranked = sorted(works, key=lambda entries: works[entries]) or ends  # those that needed no repair first
    best = preferred(call, ranked, documented, claim)
    return Found(best, [entries for entries in ranked if entries != best], attempts)


def _working(call: Caller, ways: Sequence[Entries]) -> Iterator[Entries]:
    """Those that work as they are, not by the luck of one draw; the likeliest before them with what the complaint says
    of its values, rather than others that happen to escape it.
    """
    told = call(ways[0]) if ways else None
    if told is not None and told.error is not None:
        kinds = [(entry.dtype, entry.shape) for entry in ways[0]]
        better = repaired(ways[0], Spec(call.init, ways[0]), told.error)
        ways = [*(way for way in better if [(e.dtype, e.shape) for e in way] == kinds), *ways]
    again = replace(call, seed=call.seed + 1)
    yield from (way for way in ways if call(way).works and again(way).works)


def _repair(call: Caller, entries: Entries, fixed: Mapping[str, InputSpec]) -> tuple[Entries | None, int, int, Outcome]:
    """Try the entries; where they are refused, follow what the complaint suggests, a few steps deep. Returns what
    works, how deep, after how many attempts, and how the first attempt ended.
    """
    waiting, seen, tried = [(entries, 0)], {entries}, 0
    first: Outcome | None = None
    while waiting and tried < 12:
        entries, depth = waiting.pop(0)
        outcome = call(entries)
        tried += 1
        first = first or outcome
        if outcome.works:
            return entries, depth, tried, first
        if outcome.error is not None and depth < REPAIRS:
            ways = [
                way
                for way in repaired(entries, Spec(call.init, entries), outcome.error)
                if way not in seen and all(fixed.get(entry.name, entry) == entry for entry in way)
            ][:4]
            seen.update(ways)
            waiting = [*((way, depth + 1) for way in ways), *waiting]
    return None, 0, tried, first or Outcome({})


@dataclass(frozen=True)
class Arguments:
    """What a forward takes: the names of the tensors that it requires, those that may be left out (``None`` then), all
    names that it knows (none where it takes any), and whether its arguments go by position only.
    """

    required: list[str]
    optional: list[str]
    known: set[str]
    positional: bool


def forward_arguments(forward: Any) -> Arguments:
    """Read the signature of ``forward``."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        return Arguments(["input"], [], set(), True)
    kinds = {p.kind for p in parameters}
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    required = [p.name for p in named if p.default is p.empty]
    optional = [p.name for p in named if p.default is None]
    if not required and inspect.Parameter.VAR_POSITIONAL in kinds:
        return Arguments(["input"], [], set(), True)
    if not required and named:
        required = [named[0].name]
    positional = bool(kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL})
    known = set() if inspect.Parameter.VAR_KEYWORD in kinds else {p.name for p in named}
    return Arguments(required, [name for name in optional if name not in required], known, positional)
