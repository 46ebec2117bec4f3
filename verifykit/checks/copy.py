"""copy: a copy of a module, by deepcopy or pickle, computes the same and stands on its own."""

import copy as copying
import io
import pickle
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.holdings import own_attributes, storage_of, where_assigned
from verifykit.experiments.module_state import (
    call_with_gradient,
    captures,
    disturb,
    fresh,
    is_module,
    run_in_training,
    tells_nothing,
    ties,
    unequal,
)
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject
from verifykit.targets import locate

STATEFUL = "its outputs depend on the calls before, so a copy cannot be compared"


@check("copy", family="hygiene")
def copy(subject: Subject) -> Iterator[Finding | Verified]:
    """A copy of the module, by copy.deepcopy or pickle, computes the same and shares nothing with the original.

    What:
        Copies a fresh module and one that has been called in training mode; compares outputs; moves the parameters of
        the copy and looks whether the copy follows and the original does not.

    Why it matters:
        Averaged models, ensembles, target networks and data-parallel training copy modules. A copy that still
        computes with the original's weights trains nothing, silently.

    Wrong:
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))
            self.rescale = lambda x: x * self.scale  # a copy keeps this self

    Right:
        def rescale(self, x):
            return x * self.scale

    When to ignore:
        When the module holds what cannot be copied by nature, such as a connection, and is never copied.
    """
    if not is_module(subject):
        raise Skip("a function is not copied")
    original = fresh(subject)
    disturb(original, seed=1)
    problem = _deep(subject, original, "")
    if problem is None:
        called = fresh(subject)
        if run_in_training(subject, called) and call_with_gradient(subject, called):
            problem = _deep(subject, called, " after it has been called")
    if problem is not None:
        yield problem
        return
    yield Verified("copy.deepcopy, before and after a call: outputs, and independence of the original", 2)
    if any(is_parametrized(part) or isinstance(part, torch.jit.ScriptModule) for part in original.modules()):
        return  # torch itself refuses to pickle these
    problem = _pickled(subject, original)
    if problem is None:
        yield Verified("pickle: outputs", 1)
    else:
        yield problem


def _deep(subject: Subject, original: nn.Module, when: str) -> Finding | None:
    try:
        twin = copying.deepcopy(original)
    except Exception as error:
        name, part = _culprit(original, copying.deepcopy)
        ours = part is None or not type(part).__module__.startswith("torch.")
        return Finding(
            f"copy.deepcopy fails{when}{f' because of {name}' if name else ''}: {one_line(error).partition('. ')[0]}",
            # Torch's own utility may have put it there, and before the first call it can be copied.
            None if ours and not when else "warning",
            {"attribute": name} if name else {},
            where_assigned(part, name.rpartition(".")[2]) if part is not None else _override(original),
        )
    return _differs(subject, original, twin, f"a deep copy{when}") or _dependent(subject, original, twin, when)


def _differs(subject: Subject, original: nn.Module, twin: nn.Module, what: str) -> Finding | None:
    inputs = subject.draw()
    expected = outputs_of(subject, original, inputs)
    if not expected:
        raise Skip("the module returns no tensor")
    if tells_nothing(expected):
        raise Inconclusive("its outputs hold no finite number that could differ")
    where = _override(original)
    try:
        actual = outputs_of(subject, twin, inputs)
    except Exception as error:
        return Finding(f"{what} cannot be called: {one_line(error)}", location=where or raised_location(error))
    difference = unequal(actual, expected)
    if difference is None:
        return None
    if unequal(outputs_of(subject, original, inputs), expected) is not None:
        raise Inconclusive(STATEFUL)
    return Finding(
        f"{what} computes something else than the original ({difference.output})",
        evidence=difference.evidence,
        location=where,
    )


def _dependent(subject: Subject, original: nn.Module, twin: nn.Module, when: str) -> Finding | None:
    """Move the copy's parameters: the original must stay, and the copy must do as a module moved alike does."""
    inputs = subject.draw()
    if loose := ties(original) - ties(twin):
        names = sorted(min(loose, key=sorted))
        told = (
            f"{' and '.join(names)} are one parameter in the original and two in a deep copy: training moves them apart"
        )
        return Finding(told, evidence={"tied": names}, location=_override(original))
    memory = {storage_of(tensor) for tensor in original.parameters() if tensor.numel()}
    shared = [name for name, tensor in twin.named_parameters() if storage_of(tensor) in memory]
    if shared:
        told = f"a deep copy shares {', '.join(shared[:3])} with the original: training one changes the other"
        return Finding(told, evidence={"shared": shared[:8]}, location=_override(original))
    before = outputs_of(subject, original, inputs)
    disturb(twin, seed=2)
    trained = run_in_training(subject, twin)
    moved = outputs_of(subject, twin, inputs)
    after = outputs_of(subject, original, inputs)
    difference = unequal(after, before)
    if difference is not None:
        if unequal(outputs_of(subject, original, inputs), after) is not None:
            raise Inconclusive(STATEFUL)
        told = f"training a deep copy{when} changes the output of the original ({difference.output})"
        return Finding(told, evidence=difference.evidence, location=_bound(original, twin)[1] or _override(original))
    disturb(original, seed=2)
    if trained:
        run_in_training(subject, original)
    difference = unequal(moved, outputs_of(subject, original, inputs))
    if difference is None:
        return None
    name, location = _bound(original, twin)
    if name is None and when:
        return None
    told = "moved like the original it computes something else, so it holds on to something of the original"
    if name is not None:
        told = f"{name} in it is a function that holds the original module, and the copy still calls the original's"
    return Finding(f"a deep copy does not follow its own parameters: {told}", None, difference.evidence, location)


def _bound(original: nn.Module, twin: nn.Module) -> tuple[str | None, Location | None]:
    """Return the attribute or hook of the copy that captures the original, or a part of it."""
    modules = {id(part) for part in original.modules()}
    for prefix, part in twin.named_modules():
        dotted = f"self.{prefix}." if prefix else "self."
        for name, value in own_attributes(part).items():
            if captures(value, modules):
                return f"{dotted}{name}", where_assigned(part, name)
        for name, value in vars(part).items():
            if name.endswith("_hooks") and captures(value, modules):
                return f"a hook of {prefix or 'the module'}", None
    return None, None


def _culprit(module: nn.Module, attempt: Any) -> tuple[str, nn.Module | None]:
    """Return the first plain attribute that ``attempt`` fails on by itself, and the part that has it."""
    for prefix, part in module.named_modules():
        for name, value in own_attributes(part).items():
            if isinstance(value, nn.Module):
                continue
            try:
                attempt(value)
            except Exception:
                return (f"self.{prefix}.{name}" if prefix else f"self.{name}"), part
    return "", None


class _Pickler(pickle.Pickler):
    """Pickles what cannot be found by its name only because of how we loaded its file as if it could be."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.named: list[Any] = []

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, type | FunctionType) or "<" in obj.__qualname__ or not _was_replaced(obj):
            return None
        self.named.append(obj)
        return len(self.named) - 1


def _was_replaced(obj: type | FunctionType) -> bool:
    """Whether the module that bears its module's name now is another one than that in which ``obj`` was defined."""
    module = sys.modules.get(obj.__module__)
    functions = (
        [obj] if isinstance(obj, FunctionType) else [f for f in vars(obj).values() if isinstance(f, FunctionType)]
    )
    own = [function for function in functions if function.__module__ == obj.__module__]
    return any(module is None or function.__globals__ is not vars(module) for function in own)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, named: list[Any]) -> None:
        super().__init__(file)
        self.named = named

    def persistent_load(self, pid: Any) -> Any:
        return self.named[pid]


def _dumped(value: Any) -> tuple[io.BytesIO, list[Any]]:
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(value)
    file.seek(0)
    return file, pickler.named


def _pickled(subject: Subject, original: nn.Module) -> Finding | None:
    try:
        file, named = _dumped(original)
    except Exception as error:
        name, part = _culprit(original, _dumped)
        location = where_assigned(part, name.rpartition(".")[2]) if part is not None else None
        told = f"the module cannot be pickled{f' because of {name}' if name else ''}: {one_line(error)}"
        why = "torch.save of the whole module and worker processes need that"
        return Finding(f"{told} ({why})", "warning", {"attribute": name} if name else {}, location)
    try:
        twin = _Unpickler(file, named).load()
    except Exception as error:
        told = f"the module can be pickled, but not unpickled: {one_line(error)}"
        return Finding(told, location=_override(original) or raised_location(error))
    return _differs(subject, original, twin, "an unpickled copy")


def _override(module: nn.Module) -> Location | None:
    """Return where the user says how the module, or a part of it, is copied."""
    for part in module.modules():
        for name in ("__deepcopy__", "__setstate__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__"):
            method = getattr(type(part), name, None)
            owner = next((base for base in type(part).__mro__ if name in vars(base)), None)
            if method is not None and owner is not None and not owner.__module__.startswith(("torch.", "builtins")):
                return locate(method)
    return None
