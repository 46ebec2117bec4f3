"""needless copy: a copy without which the module does the same."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.profiling.advice.calls import Call
from verifykit.profiling.advice.experiment import Experiment, Replies, Worth
from verifykit.profiling.advice.handing import Given, Reply
from verifykit.profiling.advice.words import size
from verifykit.results.performance import Advice

# Operators that put numbers elsewhere and compute nothing; views are recognised by themselves.
_MOVES = ("clone", "copy_", "_to_copy", "cat", "stack", "repeat", "empty", "empty_like", "empty_strided", "new_empty")
# The least share of a step's time, the whole interval of it.
LEAST_GAIN = 0.03
TRIED = 12
TIMED = 4


def needless_copies(experiment: Experiment) -> Iterator[Advice]:
    """Try each copy that the user's own code asks for, those of the most bytes first: hand on the original in its
    place. Where outputs, gradients, inputs afterwards, and what shares memory stay the same, the copy is needless; it
    is told where the whole interval of the time is a gain, or where it is large and not faster than nothing.
    """
    sites: dict[Any, list[Call]] = {}
    for call in experiment.calls:
        if stand_in(call) is not None:
            sites.setdefault(call.site, []).append(call)
    by_line: dict[Any, list[Any]] = {}
    for site in sorted(sites, key=lambda site: -_bytes(sites[site]))[:TRIED]:
        # Of two copies on one line, either may be needless, or both: the second is tried together with the first.
        alike = by_line.setdefault((sites[site][0].location, sites[site][0].name), [])
        if experiment.changes_nothing(partial(_at, (*alike, site))):
            alike.append(site)
    spared = [[call for site in alike for call in sites[site]] for alike in by_line.values() if alike]
    for calls in sorted(spared, key=lambda calls: -_bytes(calls))[:TIMED]:
        worth = experiment.worth(_replies(calls), LEAST_GAIN)
        if worth is not None:
            yield _advice(experiment, calls, worth)


def stand_in(call: Call) -> Reply | None:
    """Return what can be handed on instead of the copy that ``call`` makes: the original, or its expansion to the shape
    of the copy. ``None`` where it makes none, or none that can be spared.
    """
    if not call.is_direct or not call.computing or any(operator.name not in _MOVES for operator in call.computing):
        return None
    if len(call.given) != 1 or len(call.made) != 1 or any(t.layout is not torch.strided for t in call.given):
        return None
    (original,), (copy,) = call.given, call.made
    if original.dtype != copy.dtype or original.device != copy.device or _shares(original, copy):
        return None
    find, shape = _original(call), copy.shape
    if original.shape == shape:
        return lambda given, results: find(given)
    return (lambda given, results: find(given).expand(shape)) if _expands(original.shape, shape) else None


def _at(sites: Sequence[Any], calls: list[Call]) -> Replies:
    return _replies([call for call in calls if call.site in sites])


def _replies(calls: list[Call]) -> Replies:
    found = {call.number: (call.func, stand_in(call)) for call in calls}
    return {number: (func, reply) for number, (func, reply) in found.items() if reply is not None}


def _original(call: Call) -> Callable[[Given], Tensor]:
    """Return what finds the tensor among the arguments, at once: it must not cost as much as the copy."""
    if call.args and isinstance(call.args[0], Tensor):
        return lambda given: cast(Tensor, given[0][0])
    return lambda given: next(leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor))


def _advice(experiment: Experiment, calls: list[Call], worth: Worth) -> Advice:
    first = calls[0]
    parameters = list(dict.fromkeys(_parameter(experiment, call.given[0]) for call in calls))
    known = [name for name in parameters if name]
    what = size(_bytes(calls))
    if len(known) == len(parameters):
        what = f"the parameter{'s' if len(known) > 1 else ''} {' and '.join(known)}"
    count = len({call.site for call in calls})
    who = f"{first.name} copies" if count == 1 else f"{count} calls of {first.name} copy"
    is_expansion = first.given[0].shape != first.made[0].shape
    it, its = ("it", "its") if count == 1 else ("them", "their")
    do = f"with .expand() in {its} place" if is_expansion else f"without {it}"
    is_turned = not first.given[0].is_contiguous() and 0 not in first.given[0].stride()
    turned = ", which is transposed," if is_turned and not is_expansion else ""
    return Advice(
        "needless copy",
        f"{who} {what}{turned} at every call for nothing: {do} outputs and gradients stay the same, and {worth.words}",
        first.location,
        worth.share,
        {"call": first.name, "bytes": _bytes(calls), "calls": len(calls), **worth.evidence},
    )


def _parameter(experiment: Experiment, tensor: Tensor) -> str | None:
    named = experiment.load.module.named_parameters()
    return next((name for name, own in named if _shares(own, tensor)), None)


def _bytes(calls: list[Call]) -> int:
    return sum(call.made[0].numel() * call.made[0].element_size() for call in calls)


def _shares(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def _expands(shape: torch.Size, to: torch.Size) -> bool:
    return len(shape) <= len(to) and all(a in (1, b) for a, b in zip(reversed(shape), reversed(to), strict=False))
