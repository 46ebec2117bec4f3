"""Finds what to feed a module: shapes, dtypes and domains for each forward argument, tried and repaired."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch.nn.parameter import is_lazy

from verifykit.spec.dims import Dim
from verifykit.spec.effort import effort
from verifykit.spec.inference.documented import Documented
from verifykit.spec.inference.names import Claim
from verifykit.spec.inference.repairing import repaired
from verifykit.spec.inference.roles import BATCH, FEATURES, HEIGHT, LENGTH, WIDTH, completions
from verifykit.spec.inference.trying import Caller, Entries, Outcome
from verifykit.spec.model import InputSpec, Spec

# Attempts and seconds for one construction, attempts after which no more is looked for beside what works (counted, not
# timed, so that a slow machine finds the same), and complaints followed one after the other.
ATTEMPTS, SECONDS, ENOUGH = 6000, 4.0, 800
REPAIRS = 4
# Inputs that differ and all meet the same complaint, numbers aside, after which it is taken not to be about them.
DEAF = 40
# Fixed sizes that modules without a size of their own ask for: mono, stereo, colours; images that survive halving.
CHANNELS, IMAGES = (3, 1, 2), (32, 64, 224)


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
        for shape in [fixed[first].shape] if first in fixed else _shapes(call, claim, documented):
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
    best = _preferred(ranked, documented, claim)
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


def _preferred(works: list[Entries], documented: list[Documented], claim: Claim) -> Entries:
    """What documentation names first; else, where any number of dimensions goes, two; else the most with a batch, yet
    images rather than volumes.
    """

    def rank(entries: Entries) -> int:
        return len(entries[0].shape)

    # A fixed size of 1 works by broadcasting where a better shape does too.
    works = [way for way in works if not any(1 in entry.shape for entry in way)] or works
    kinds = {rank(entries) for entries in works}
    wanted = [told.rank for told in documented]
    wanted += [claim.rank] if claim.rank else []
    wanted += [2] if {2, 3, 4} <= kinds else []
    wanted += [4]
    for kind in wanted:
        for entries in works:
            if rank(entries) == kind and entries[0].shape[:1] in ((BATCH,), ()):
                return entries
    return max(works, key=lambda entries: (entries[0].shape[:1] == (BATCH,), rank(entries), -works.index(entries)))


def _shapes(call: Caller, claim: Claim, documented: list[Documented]) -> Iterator[tuple[Dim, ...]]:
    """Shapes for the first argument, the likeliest first: a size that the module knows as last or second dimension, or
    none of them.
    """
    widths: list[Dim] = [*_known_widths(call), FEATURES]
    shapes: list[tuple[Dim, ...]] = []
    for width in widths:
        shapes += [(BATCH, width), (BATCH, LENGTH, width), (BATCH, width, HEIGHT, WIDTH), (BATCH, width, LENGTH)]
    for width in widths[:3]:
        shapes += [
            (BATCH, width, "T", HEIGHT, WIDTH),
            (width,),
            (BATCH, HEIGHT, WIDTH, width),
            (BATCH, 2, LENGTH, width),
        ]
    for side in _known_sides(call):
        shapes = [*((BATCH, width, side, side) for width in (*widths[:2], *CHANNELS)), *shapes]
    shapes += [(BATCH,), ()]
    shapes += [shape for c in CHANNELS for shape in ((BATCH, c, HEIGHT, WIDTH), (BATCH, c, LENGTH), (BATCH, c))]
    wanted = [told.rank for told in documented] + ([claim.rank] if claim.rank else [])
    shapes.sort(key=lambda shape: wanted.index(len(shape)) if len(shape) in wanted else len(wanted))
    yield from dict.fromkeys(shapes)
    for size in IMAGES:
        yield from ((BATCH, width, size, size) for width in (*widths[:1], *CHANNELS))


def _known_widths(call: Caller) -> Iterator[Dim]:
    """Sizes that an input may have to have: constructor arguments, inputs first; then what the parameters show."""
    integers = {name: value for name, value in call.init.items() if type(value) is int and value > 1}
    weights = [p for p in call.module.parameters() if not is_lazy(p) and p.ndim >= 1]
    shown = [p.shape[1] if p.ndim > 1 else p.shape[0] for p in weights[:3]]

    def likely(name: str) -> tuple[bool, bool]:
        return (not re.match(r"in|.*(model|embed|feature|channel|dim)", name), integers[name] not in shown)

    names = sorted(integers, key=likely)
    odd = [name for name in names if re.search(r"kernel|head|layer|depth|group|factor|class|out|pad", name)]
    yield from (name for name in names if name not in odd)
    covered = set(integers.values())
    yield from dict.fromkeys(int(size) for size in shown if size not in covered and 1 < size <= 2048)
    buffers = [b for b in call.module.buffers() if not is_lazy(b) and b.ndim >= 1 and b.numel() > 1]
    yield from dict.fromkeys(int(b.shape[0]) for b in buffers[:1] if b.shape[0] not in covered)
    yield from (name for name in odd if "class" in name)


def _known_sides(call: Caller) -> Iterator[Dim]:
    """Constructor arguments that say how large an image is."""
    yield from (n for n, v in call.init.items() if type(v) is int and re.search(r"im(g|age)|resolution", n))


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
