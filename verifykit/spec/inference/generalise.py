"""From shapes that work to a contract: which sizes are free, which follow a constructor argument, which are fixed."""

from dataclasses import replace
from typing import Any

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below, Domain
from verifykit.spec.inference.repairing import usual
from verifykit.spec.inference.trying import Caller, Entries
from verifykit.spec.model import Spec

# Added to the usual size of a symbol: odd and even sizes, smaller and larger ones.
STEPS = (1, 2, -1, 5)


def generalised(call: Caller, entries: Entries, rebuild: Any) -> Entries:
    """Return ``entries`` with every symbol that is not free replaced by what it is: a fixed size, a multiple; and every
    fixed size that follows a constructor argument replaced by its name.

    ``rebuild`` returns a caller for other constructor arguments, or nothing where the constructor refuses them.
    """
    if not call(entries).works:
        call = replace(call, lenient=True)
    entries = _multiplied(call, _named(call, entries, rebuild))
    for symbol in Spec(call.init, entries).free:
        entries = _loosened(call, entries, symbol)
    for symbol in [s for s in Spec(call.init, entries).free if s not in entries[0].shape[:1]]:
        entries = _untied(call, entries, symbol)
    return _confirmed_together(call, entries)


def _loosened(call: Caller, entries: Entries, symbol: str) -> Entries:
    """Keep a symbol that may have other sizes; a multiple of it where only those work; else its size."""
    size = usual(call.init, entries)[symbol]
    working = [step for step in STEPS if call(entries, {symbol: size + step}).works]
    if len(working) >= len(STEPS) - 1:
        return entries
    for factor in (2, 4, 8, 16):
        multiple = _substituted(entries, {symbol: f"{factor}*{symbol}"})
        if all(call(multiple, {symbol: n}).works for n in (1, 2, 3)):
            return multiple
    return _substituted(entries, {symbol: size})


def _untied(call: Caller, entries: Entries, symbol: str) -> Entries:
    """Give a size that several inputs share, the batch aside, to those after the first as a size of their own, all
    together or one alone, where any other works too: a sequence and the context that it attends to.
    """
    sharing = [index for index, entry in enumerate(entries) if symbol in entry.shape]
    groups = [sharing[1:], *([index] for index in sharing[1:])] if len(sharing) > 1 else []
    fresh = "S" if all("S" not in entry.symbols for entry in entries) else _fresh(entries)
    for group in groups:
        apart = tuple(
            _substituted((entry,), {symbol: fresh})[0] if index in group else entry
            for index, entry in enumerate(entries)
        )
        if _is_free(call, apart, fresh):
            return apart
    return entries


def _named(call: Caller, entries: Entries, rebuild: Any) -> Entries:
    """Turn a fixed size that equals one constructor argument into its name, where it follows when that is changed."""
    integers = {n: v for n, v in call.init.items() if type(v) is int and v > 1}
    for name, value in integers.items():
        changed = _substituted(entries, {value: name})
        if changed == entries:
            continue
        for other in (2 * value, value + 1):
            rebuilt = rebuild({**call.init, name: other})
            if rebuilt is not None and rebuilt(changed).works and not rebuilt(entries).works:
                entries = changed
                break
    return _unnamed(call, entries, rebuild)


def _unnamed(call: Caller, entries: Entries, rebuild: Any) -> Entries:
    """Turn the name of a constructor argument that the shape need not follow into a free symbol or a fixed size."""
    ranges = {str(entry.domain.bound) for entry in entries if isinstance(entry.domain, Below)}
    named = {s for entry in entries for s in entry.symbols if s in Spec(call.init, entries).bound}
    for name in sorted(named - ranges):
        value = call.init[name]
        others = [rebuild({**call.init, name: other}) for other in (2 * value, value + 1, 3 * value)]
        usable = [other for other in others if other is not None]
        if usable and all(other(entries).works for other in usable):
            fixed = _substituted(entries, {name: value})
            free = _substituted(entries, {name: _fresh(entries)})
            if call(free).works:
                entries = free
            elif all(other(fixed).works for other in usable):
                entries = fixed
    return entries


def _multiplied(call: Caller, entries: Entries) -> Entries:
    """Turn a fixed size, or the name of a constructor argument, into a free symbol or a multiple of one where other
    sizes work too: a size that a complaint suggested may be one of many. First each place alone, then equal ones
    together.
    """
    bound = Spec(call.init, entries).bound
    for index, entry in enumerate(entries):
        for axis, dim in enumerate(entry.shape):
            if isinstance(dim, int):
                fresh = _fresh(entries)
                alone = _placed(entries, index, axis, fresh)
                if _is_free(call, alone, fresh):
                    entries = alone
                elif least := _at_least(call, alone, fresh, dim):
                    entries = least
    for dim in dict.fromkeys(d for entry in entries for d in entry.shape if isinstance(d, int) or d in bound):
        fresh = _fresh(entries)
        free = _substituted(entries, {dim: fresh})
        multiple = _substituted(entries, {dim: f"{dim}*{fresh}"})
        if _is_free(call, free, fresh):
            entries = free
        elif isinstance(dim, int) and (least := _at_least(call, free, fresh, dim)):
            entries = least
        elif dim != 1 and all(call(multiple, {fresh: n}).works for n in (1, 2, 3)):
            entries = multiple
    return entries


def _at_least(call: Caller, entries: Entries, symbol: str, size: int) -> Entries | None:
    """A symbol that works at ``size`` as any size from about this one on, or every second, fourth, … of them."""
    for step in (1, 2, 4, 8, 16, 32):
        law = f"{symbol} + {size - 2}" if step == 1 else f"{step}*{symbol} + {size - step}"
        more = _substituted(entries, {symbol: law})
        if size > max(step, 4) and all(call(more, {symbol: n}).works for n in (1, 2, 3, 4)):
            return more
    return None


def _is_free(call: Caller, entries: Entries, symbol: str) -> bool:
    return all(call(entries, {symbol: size}).works for size in (2, 3, 4, 5, 7))


def _fresh(entries: Entries) -> str:
    used = {symbol for entry in entries for symbol in entry.symbols}
    return next(name for name in ("C", "D", "L", "K", "M", "P", "Q", "R", "U", "V") if name not in used)


def _confirmed_together(call: Caller, entries: Entries) -> Entries:
    """All free sizes changed at once, to sizes that the search did not use; where that fails, nothing is free but the
    batch.
    """
    sizes = usual(call.init, entries)
    free = Spec(call.init, entries).free
    together = {symbol: sizes[symbol] + 2 * rank + 2 for rank, symbol in enumerate(free)}
    if not free or call(entries, together).works:
        return entries
    kept = [s for s in free if s == "N"]
    fixed = _substituted(entries, {s: sizes[s] for s in free if s not in kept})
    return (
        fixed if call(fixed, {s: together[s] for s in kept}).works else _substituted(fixed, {s: sizes[s] for s in kept})
    )


def _placed(entries: Entries, index: int, axis: int, dim: Dim) -> Entries:
    shape = (*entries[index].shape[:axis], dim, *entries[index].shape[axis + 1 :])
    return (*entries[:index], replace(entries[index], shape=shape), *entries[index + 1 :])


def _substituted(entries: Entries, changes: dict[Any, Dim]) -> Entries:
    """Replace whole dimensions, or the symbol of a multiple, and ranges likewise."""

    def dim(old: Dim) -> Dim:
        return changes.get(old, old)

    def domain(old: Domain) -> Domain:
        return Below(dim(old.bound)) if isinstance(old, Below) else old

    return tuple(
        replace(entry, shape=tuple(dim(d) for d in entry.shape), domain=domain(entry.domain)) for entry in entries
    )
