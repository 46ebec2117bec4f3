"""Infers what was not given of a spec: constructor arguments, then inputs, then which sizes are free."""

import inspect
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from verifykit.errors import SpecError, UserError, one_line
from verifykit.spec.building import cast_module, construct, is_unsized
from verifykit.spec.domain import Below
from verifykit.spec.inference.constructor import Constructed, constructions, optional_arguments
from verifykit.spec.inference.documented import documented_shapes
from verifykit.spec.inference.generalise import generalised
from verifykit.spec.inference.harmless import harmless
from verifykit.spec.inference.names import claim_of
from verifykit.spec.inference.search import Exhausted, Found, forward_arguments, search
from verifykit.spec.inference.trying import Caller, quietly
from verifykit.spec.model import InputSpec, Spec
from verifykit.targets import Target

# Constructions of a target for which inputs are looked for, seconds for all of it, and arguments with a default that a
# complaint may ask for.
CONSTRUCTIONS, SECONDS, ROUNDS = 8, 8.0, 3


def completed(target: Target, given: Spec, seed: int = 0, seconds: float = SECONDS) -> Spec:
    """Return ``given`` with what is missing inferred in about so many seconds, every part with its source.

    Raises:
        SpecError: it says what could not be found out, what was tried last, what the module said, and what to give.
    """
    deadline = time.monotonic() + seconds
    best: Exhausted | None = None
    asked: list[str] = []
    with quietly(seed), harmless():
        for _ in range(ROUNDS):
            for count, built in enumerate(constructions(target, given.init, seed, asked), 1):
                spec = _with_inputs(target, given, built, seed, deadline)
                if isinstance(spec, Spec):
                    return spec
                if best is None or (best.last is None and spec.last is not None):
                    best = spec
                if count >= CONSTRUCTIONS or time.monotonic() > deadline:
                    break
            # Its complaint may name an argument that has a default, and does not work without.
            more = optional_arguments(target, str(best and best.last), {*given.init, *asked})
            if not more or time.monotonic() > deadline:
                break
            asked += more
    raise SpecError(_unfed(target, best or Exhausted(0, "", None)))


def _with_inputs(target: Target, given: Spec, built: Constructed, seed: int, deadline: float) -> Spec | Exhausted:
    fixed = {entry.name: entry for entry in given.inputs}
    takes = forward_arguments(_forward_of(target, built.module))
    if not takes.positional and takes.known and not set(fixed) <= takes.known:  # not ours to mend
        return Spec(built.init, given.inputs, {**given.sources, **built.sources})
    required = [name for name in takes.required if name not in built.init]
    if fixed and takes.positional:
        required = []
    arguments = [*fixed, *(name for name in required if name not in fixed)]
    if target.kind == "autograd.Function":
        arguments.sort(key=lambda name: required.index(name) if name in required else -1)
    positional = takes.positional or target.kind == "autograd.Function"
    call = replace(_caller(target, built.module, built.init, seed, positional), deadline=deadline)
    sources = {**given.sources, **built.sources}
    if all(name in fixed for name in arguments):
        return Spec(built.init, tuple(fixed[name] for name in arguments), sources)
    try:
        found = _found(target, call, arguments, takes.optional, fixed)
    except Exhausted as exhausted:
        return exhausted

    def rebuild(init: Mapping[str, Any]) -> Caller | None:
        if any(type(init[name]) is not type(built.init[name]) for name in built.init):
            return None
        try:
            with quietly(seed):
                return replace(_caller(target, construct(target, init), init, seed, positional), deadline=deadline)
        except UserError:
            return None

    if call.fresh is not None:  # its first call has fixed what is free before it
        call(found.entries)
        call = replace(call, fresh=None)
    entries = generalised(call, found.entries, rebuild)
    if not replace(call, deadline=float("inf"))(entries).ends:
        entries = found.entries
    entries = tuple(fixed.get(entry.name, entry) for entry in entries)
    guesses = tuple(entry.name for entry in entries if entry.name not in fixed and _is_guess(entry))
    return Spec(built.init, entries, {**sources, **_sources(entries, fixed, found)}, guesses)


def _is_guess(entry: InputSpec) -> bool:
    """Integers in a range that is tied to no size of the module or the other inputs."""
    return entry.dtype == "long" and not (isinstance(entry.domain, Below) and isinstance(entry.domain.bound, str))


def _found(
    target: Target, call: Caller, arguments: Sequence[str], optional: Sequence[str], fixed: Mapping[str, InputSpec]
) -> Found:
    """Search inputs for ``arguments``; where that fails, with arguments as well that have a default, and that the
    complaint names, or that may be the ``None`` it is about.
    """
    try:
        return search(call, arguments, fixed, claim_of(target.label), documented_shapes(target.obj))
    except Exhausted as exhausted:
        told = exhausted.told
        named = [name for name in optional if re.search(rf"\b{re.escape(name)}\b", told)]
        for name in (named or (optional if "None" in told else []))[:3]:
            others = [other for other in optional if other != name]
            try:
                return _found(target, call, [*arguments, name], others if len(arguments) < 3 else [], fixed)
            except Exhausted:
                continue
        raise


def _sources(entries: tuple[InputSpec, ...], fixed: Mapping[str, InputSpec], found: Found) -> dict[str, str]:
    other = f"; {len(found.others)} other shapes work" if found.others else ""
    told = f"search, {found.attempts} attempts{other}"
    return {f"inputs.{entry.name}": told for entry in entries if entry.name not in fixed}


def _caller(target: Target, module: nn.Module, init: Mapping[str, Any], seed: int, positional: bool) -> Caller:
    fresh = (lambda: _prepared(construct(target, init))) if is_unsized(module) else None
    return Caller(_prepared(module), init, seed, positional, fresh)


def _prepared(module: nn.Module) -> nn.Module:
    return cast_module(module, torch.float64, "cpu").eval()


def _forward_of(target: Target, module: nn.Module) -> Any:
    if target.kind == "function":
        return target.obj
    if target.kind == "autograd.Function":
        return _without_context(target.obj.forward)
    return type(module).forward


def _without_context(forward: Any) -> Any:
    """A forward whose first argument is ``ctx``, as a caller of ``apply`` sees it."""
    parameters = list(inspect.signature(forward).parameters.values())
    if parameters and parameters[0].name == "ctx":

        def seen() -> None: ...

        seen.__signature__ = inspect.Signature(parameters[1:])  # type: ignore[attr-defined]
        return seen
    return forward


def _unfed(target: Target, exhausted: Exhausted) -> str:
    tried = f" First tried {exhausted.tried}" if exhausted.tried else ""
    told = f", which raised {one_line(exhausted.last)}." if exhausted.last else "."
    return (
        f"{target.name}: no inputs found that it accepts, in {exhausted.attempts} attempts.{tried}{told} "
        "Give --input 'NAME: float[N, 5]' for each forward argument."
    )
