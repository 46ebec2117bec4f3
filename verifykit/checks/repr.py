"""repr: a module can be printed, at any time, and is left as it was."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.holdings import own_attributes
from verifykit.experiments.module_state import alike, fresh, is_module, run_in_training
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.targets import locate

# More characters about one part than anybody reads.
LONG = 4000


@check("repr", family="hygiene")
def repr(subject: Subject) -> Iterator[Finding | Verified]:
    """The module can be printed, before and after its first call, and printing changes nothing.

    What:
        Calls repr and str on a fresh module and on one that has been called, and compares parameters, buffers, modes
        and random state with those before.

    Why it matters:
        Debuggers, notebooks, loggers and error messages print modules unasked. Where that raises, it hides the error
        that was to be seen; where it draws random numbers or runs the model, results depend on who looked.

    Wrong:
        def extra_repr(self):
            return f"bias={self.bias.shape}"  # None where bias=False

    Right:
        def extra_repr(self):
            return f"bias={self.bias is not None}"

    When to ignore:
        Never; a representation can always fall back on less.
    """
    if not is_module(subject):
        raise Skip("a function has no representation of its own")
    module = fresh(subject)
    for when in ("before its first call", "after calls"):
        problem = _printed(module, when)
        if problem is not None:
            yield problem
            return
        if when == "before its first call":
            run_in_training(subject, module)
    yield Verified("repr and str, before and after calls", 4)
    long = {name: len(part.extra_repr()) for name, part in module.named_modules()}
    name = max(long, key=lambda key: long[key])
    if long[name] > LONG:
        told = f"the extra_repr of {name or 'the module'} has {long[name]} characters: print(model) is unreadable"
        where = _override(module.get_submodule(name))
        yield Finding(told, "note", {"part": name or "(itself)", "characters": long[name]}, where)


def _printed(module: nn.Module, when: str) -> Finding | None:
    kept = _state(module)
    modes = {name: part.training for name, part in module.named_modules()}
    where = next(filter(None, map(_override, module.modules())), None)
    with seeded(0):
        states = _random_states()
        for show in (module.__repr__, module.__str__):
            try:
                text = show()
            except Exception as error:
                told = f"printing it {when} raises {one_line(error)}"
                return Finding(told, location=raised_location(error) or where)
            if not isinstance(text, str):
                return Finding(f"its representation {when} is of type {type(text).__name__}, no string", location=where)
        if not all(map(alike, states, _random_states())):
            return Finding(f"printing it {when} draws from the global random generator", "warning", location=where)
    now = _state(module)
    changed = [name for name, value in kept.items() if name not in now or not alike(value, now[name])]
    flipped = [name for name, part in module.named_modules() if modes.get(name) != part.training]
    if changed or flipped:
        what = changed[0] if changed else f"the training mode of {flipped[0] or 'the module'}"
        return Finding(f"printing it {when} changes {what}", evidence={"changed": changed or flipped}, location=where)
    return None


def _state(module: nn.Module) -> dict[str, Any]:
    """Parameters, buffers, and the plain values that the user's code keeps in attributes."""
    state: dict[str, Any] = {n: t.detach().clone() for n, t in (*module.named_parameters(), *module.named_buffers())}
    for prefix, part in module.named_modules():
        for name, value in own_attributes(part).items():
            if isinstance(value, bool | int | float | str | list | dict | tuple):
                state[f"self.{prefix}.{name}" if prefix else f"self.{name}"] = copy.copy(value)
    return state


def _random_states() -> list[Any]:
    return [torch.get_rng_state(), np.random.get_state(legacy=False)["state"], hash(random.getstate())]


def _override(part: nn.Module) -> Location | None:
    """Return where the user says how it is printed."""
    for name in ("extra_repr", "__repr__", "__str__"):
        method = getattr(type(part), name)
        if not getattr(method, "__module__", "torch.").startswith(("torch.", "builtins")):
            return locate(method)
    return None
