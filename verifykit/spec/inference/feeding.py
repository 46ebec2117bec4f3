"""Finds inputs for a constructed module: told by annotations and examples, else searched, then made symbolic."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from verifykit.errors import UserError
from verifykit.spec.building import cast_module, construct, is_unsized
from verifykit.spec.domain import Below, OneOf, any_of
from verifykit.spec.inference.annotated import annotated_inputs
from verifykit.spec.inference.constructor import Constructed
from verifykit.spec.inference.documented import documented_shapes
from verifykit.spec.inference.examples import Example
from verifykit.spec.inference.generalise import generalised
from verifykit.spec.inference.names import claim_of
from verifykit.spec.inference.search import Arguments, Exhausted, Found, Knowledge, forward_arguments, search
from verifykit.spec.inference.trying import Caller, quietly
from verifykit.spec.model import InputSpec, Spec
from verifykit.targets import Target

Inputs = Mapping[str, InputSpec]


def fed(
    target: Target, given: Spec, built: Constructed, seed: int, deadline: float, uses: Sequence[Example]
) -> Spec | Exhausted:
    """Return the spec of a constructed module with inputs that it takes, or why none were found."""
    fixed = {entry.name: entry for entry in given.inputs}
    forward = _forward_of(target, built.module)
    takes = forward_arguments(forward)
    if not takes.positional and takes.known and not set(fixed) <= takes.known:  # not ours to mend
        return Spec(built.init, given.inputs, {**given.sources, **built.sources})
    arguments = _wanted(target, takes, fixed, built)
    positional = takes.positional or target.kind == "autograd.Function"
    sources = {**given.sources, **built.sources}
    if all(name in fixed for name in arguments):
        return Spec(built.init, tuple(fixed[name] for name in arguments), sources)

    def caller(module: nn.Module, init: Mapping[str, Any]) -> Caller:
        fresh = (lambda: _prepared(construct(target, init))) if is_unsized(module) else None
        return Caller(_prepared(module), init, seed, positional, fresh, deadline=deadline)

    def rebuild(init: Mapping[str, Any]) -> Caller | None:
        if any(type(init[name]) is not type(built.init[name]) for name in built.init):
            return None
        try:
            with quietly(seed):
                return caller(construct(target, init), init)
        except UserError:
            return None

    call = caller(built.module, built.init)
    annotated = annotated_inputs(forward, built.init, built.module)
    shown = _shown(built.example, arguments)
    told = {name: entry for name, entry in {**shown, **annotated}.items() if name in arguments and name not in fixed}
    knowledge = Knowledge(
        fixed,
        claim_of(target.label, inspect.getdoc(target.obj) or ""),
        documented_shapes(target.obj),
        _kinds(uses, arguments),
    )
    try:
        found = _told_or_searched(call, arguments, takes.optional, knowledge, told)
    except Exhausted as exhausted:
        return exhausted
    if call.fresh is not None:  # its first call has fixed what is free before it
        call(found.entries)
        call = replace(call, fresh=None)
    entries = generalised(call, found.entries, rebuild)
    if not replace(call, deadline=float("inf"))(entries).ends:
        entries = found.entries
    told_so = tuple(annotated.get(entry.name, entry) for entry in entries)
    entries = told_so if call(told_so).ends else entries
    entries = tuple(fixed.get(entry.name, entry) for entry in entries)
    guesses = tuple(entry.name for entry in entries if entry.name not in fixed and _is_guess(entry))
    count = len(found.others)
    others = f"; {count} other shape{'s work' if count > 1 else ' works'}" if count else ""
    for entry in entries:
        if entry.name not in fixed:
            source = "annotation" if entry.name in annotated else "example" if entry.name in shown else "search"
            sources[f"inputs.{entry.name}"] = f"{source}, {found.attempts} attempts{others}"
    return Spec(built.init, entries, sources, guesses)


def _wanted(target: Target, takes: Arguments, fixed: Inputs, built: Constructed) -> list[str]:
    """The arguments to feed, those given first."""
    required = [] if fixed and takes.positional else [name for name in takes.required if name not in built.init]
    arguments = [*fixed, *(name for name in required if name not in fixed)]
    if target.kind == "autograd.Function":
        arguments.sort(key=lambda name: required.index(name) if name in required else -1)
    return arguments


def _shown(example: Example | None, arguments: Sequence[str]) -> dict[str, InputSpec]:
    """The inputs of an example, at its sizes."""
    found = {}
    for place, (dtype, shape) in (example.inputs if example else {}).items():
        name = arguments[place] if isinstance(place, int) and place < len(arguments) else place
        if isinstance(name, str) and name in arguments:
            found[name] = InputSpec(name, dtype, shape, any_of(dtype))
    return found


def _kinds(uses: Sequence[Example], arguments: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Dtype and number of dimensions that the first use of each argument shows."""
    return {
        name: (entry.dtype, len(entry.shape))
        for use in reversed(uses)
        for name, entry in _shown(use, arguments).items()
    }


def _is_guess(entry: InputSpec) -> bool:
    """Integers in a range that is tied to no size of the module or the other inputs, nor told."""
    told = isinstance(entry.domain, OneOf) or (isinstance(entry.domain, Below) and isinstance(entry.domain.bound, str))
    return entry.dtype == "long" and not told


def _told_or_searched(
    call: Caller, arguments: Sequence[str], optional: Sequence[str], knowledge: Knowledge, told: Inputs
) -> Found:
    if told:
        try:
            return _found(call, arguments, optional, replace(knowledge, fixed={**knowledge.fixed, **told}))
        except Exhausted:
            pass
    return _found(call, arguments, optional, knowledge)


def _found(call: Caller, arguments: Sequence[str], optional: Sequence[str], knowledge: Knowledge) -> Found:
    """Search inputs for ``arguments``; where that fails, with arguments as well that have a default, and that the
    complaint names, or that may be the ``None`` it is about.
    """
    try:
        return search(call, arguments, knowledge)
    except Exhausted as exhausted:
        told = exhausted.told
        named = [name for name in optional if re.search(rf"\b{re.escape(name)}\b", told)]
        for name in (named or (optional if "None" in told else []))[:3]:
            others = [other for other in optional if other != name]
            try:
                return _found(call, [*arguments, name], others if len(arguments) < 3 else [], knowledge)
            except Exhausted:
                continue
        raise


def _prepared(module: nn.Module) -> nn.Module:
    return cast_module(module, torch.float32, "cpu").eval()


def _forward_of(target: Target, module: nn.Module) -> Any:
    if target.kind == "function":
        return target.obj
    if target.kind == "autograd.Function":
        return _without_context(target.obj.forward)
    return module.forward


def _without_context(forward: Any) -> Any:
    """A forward whose first argument is ``ctx``, as a caller of ``apply`` sees it."""
    parameters = list(inspect.signature(forward).parameters.values())
    if parameters and parameters[0].name == "ctx":

        def seen() -> None: ...

        seen.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]
        return seen
    return forward
