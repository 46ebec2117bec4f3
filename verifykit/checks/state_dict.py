"""state-dict: what is saved is what there is, and what is loaded is what was saved."""

import io
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.holdings import storage_of
from verifykit.experiments.module_state import (
    Unequal,
    disturb,
    fresh,
    is_module,
    run_in_training,
    tells_nothing,
    ties,
    unequal,
    unequal_attributes,
    unequal_tensors,
)
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject
from verifykit.targets import locate

State = dict[str, Any]

AFTER = " after calls in training mode"


@check("state-dict", family="hygiene", requires=("registration",))
def state_dict(subject: Subject) -> Iterator[Finding | Verified]:
    """A module restored from its saved state dict, strictly, computes what the saved one did.

    What:
        Saves the state of a module whose parameters have been moved, through torch.save and torch.load with
        weights_only, loads it strictly into one built under another seed, and compares outputs; again after some calls
        in training mode, which create and update what only they do. Looks whether loading touches the dict that it
        was given, keeps memory of it, leaves tied parameters tied, and notices a key that is missing.

    Why it matters:
        A checkpoint that restores another model is found out weeks later, if ever.

    Wrong:
        def state_dict(self, *args, **kwargs):
            state = super().state_dict(*args, **kwargs)
            return {k: v for k, v in state.items() if "running" not in k}

    Right:
        def __init__(self):
            super().__init__()
            self.register_buffer("running", torch.zeros(4))  # saved, restored and moved by itself

    When to ignore:
        When part of the state is meant to be restored by other means, as the base model under an adapter is.
    """
    if not is_module(subject):
        raise Skip("a function holds no state")
    original = _with_history(subject, trained=False)
    problem = _restored(subject, original, "")
    if problem is None:
        original = _with_history(subject, trained=True)
        problem = _restored(subject, original, AFTER)
    if problem is not None:
        yield problem
        return
    yield Verified("equal outputs of a restored module, before and after training", 2, None, "1.5e-8 of the greatest")
    yield from _unnoticed(subject, original)


def _with_history(subject: Subject, *, trained: bool) -> nn.Module:
    module = fresh(subject)
    disturb(module)
    if trained:
        run_in_training(subject, module)
    return module


def _restored(subject: Subject, original: nn.Module, when: str) -> Finding | None:
    """Return what goes wrong in saving ``original`` and restoring it into a module built under another seed."""
    saved = original.state_dict()
    stored, problem = _stored(saved, original, when)
    if problem is not None:
        return problem
    other = fresh(subject, reseeded=1)
    keys, kept = list(stored), dict(stored)
    try:
        other.load_state_dict(stored)
    except Exception as error:
        return Finding(
            f"its own state dict{when} is refused by a newly built module: {one_line(error)}",
            evidence={"keys of the new module that are not in it": sorted(set(other.state_dict()) - set(keys)),
                      "keys that the new module has not": sorted(set(keys) - set(other.state_dict()))},
            location=raised_location(error),
        )  # fmt: skip
    if list(stored) != keys or any(stored[key] is not kept[key] for key in keys):
        gone = sorted(set(keys) ^ set(stored)) or "values"
        return Finding(
            "load_state_dict changes the dict that it is given, so it cannot be loaded twice",
            "warning",
            {"changed": gone},
            _override(original, "load_state_dict", "_load_from_state_dict"),
        )
    return (
        _other_outputs(subject, original, other, stored, when) or _other_ties(original, other) or _aliased(other, kept)
    )


def _stored(saved: State, original: nn.Module, when: str) -> tuple[State, Finding | None]:
    where = _override(original, "state_dict", "get_extra_state", "_save_to_state_dict")
    file = io.BytesIO()
    try:
        torch.save(saved, file)
    except Exception as error:
        return saved, Finding(f"its state dict{when} cannot be saved: {one_line(error)}", location=where)
    file.seek(0)
    try:
        return torch.load(file, weights_only=True), None
    except Exception as error:
        odd = {key: type(value).__name__ for key, value in saved.items() if not isinstance(value, Tensor | int | str)}
        told = "torch.load refuses its state dict with weights_only=True, the default, since it holds more than tensors"
        evidence = {"values": odd, "torch": one_line(error)[:200]}
        return saved, Finding(f"{told} and plain values", "warning", evidence, where)


def _other_outputs(subject: Subject, original: nn.Module, other: nn.Module, stored: State, when: str) -> Finding | None:
    inputs = subject.draw()
    for training in (False, True):
        if training and not when:
            continue
        expected = _outputs(subject, original, training)
        if expected is None:
            continue
        if not expected:
            raise Skip("the module returns no tensor")
        if tells_nothing(expected):
            raise Inconclusive("its outputs hold no finite number that could differ")
        try:
            actual = outputs_of(subject, other.train(training), inputs)
        except Exception as error:
            told = f"a module restored from its state dict{when} raises: {one_line(error)}"
            return Finding(told, location=raised_location(error))
        difference = unequal(actual, expected)
        if difference is None:
            continue
        # In training mode calls may well depend on those before, so the same history is run through anew.
        again = _outputs(subject, _with_history(subject, trained=True) if training else original, training)
        if again is None or unequal(again, expected) is not None:
            raise Inconclusive(
                "its outputs are not repeatable" if training else "its outputs depend on the calls before"
            )
        found = _explained(difference, original, other, stored, when, training)
        if found is not None:
            return found
    return None


def _outputs(subject: Subject, module: nn.Module, training: bool) -> dict[str, Tensor] | None:
    try:
        return outputs_of(subject, module.train(training), subject.draw())
    except Exception:
        return None


def _explained(
    difference: Unequal, original: nn.Module, other: nn.Module, stored: State, when: str, training: bool
) -> Finding | None:
    lost = unequal_tensors(original, other)
    attributes = {} if lost else unequal_attributes(original, other)
    if training:
        # A state carried from step to step may start anew, and so may random draws; a number that counts may not.
        attributes = {name: pair for name, pair in attributes.items() if isinstance(pair[0], bool | int | float)}
        if not lost and not attributes:
            return None
    evidence: dict[str, Any] = dict(difference.evidence)
    if lost:
        missing = [name for name in lost if name not in stored]
        cause = f"{', '.join(lost[:3])} {'is in no key of it' if missing == lost else 'is not restored'}"
        evidence["not restored"] = lost[:8]
    elif attributes:
        name, (here, there) = next(iter(attributes.items()))
        cause = f"{', '.join(list(attributes)[:3])} is not in it"
        evidence |= {"attribute": name, "saved module": repr(here)[:60], "restored module": repr(there)[:60]}
    else:
        cause = "what it depends on is neither in the state dict nor in an attribute"
    mode = " in training mode" if training else ""
    return Finding(
        f"a module restored from its state dict{when} computes something else{mode} ({difference.output}): {cause}",
        "warning" if training else None,
        evidence,
        _override(original, "state_dict", "_save_to_state_dict", "load_state_dict", "_load_from_state_dict"),
    )


def _other_ties(original: nn.Module, other: nn.Module) -> Finding | None:
    loose = ties(original) - ties(other)
    if not loose:
        return None
    names = sorted(min(loose, key=sorted))
    return Finding(
        f"{' and '.join(names)} are one parameter, and two after loading the state dict: training moves them apart",
        evidence={"tied before": names},
        location=_override(original, "load_state_dict", "_load_from_state_dict"),
    )


def _aliased(other: nn.Module, stored: State) -> Finding | None:
    given = {storage_of(value) for value in stored.values() if isinstance(value, Tensor) and value.numel()}
    shared = [name for name, tensor in other.named_parameters() if storage_of(tensor) in given]
    if not shared:
        return None
    return Finding(
        f"after load_state_dict, {', '.join(shared[:3])} lies in the memory of the dict that was loaded: training the "
        "module changes the dict, and whatever else was loaded from it",
        "warning",
        {"shared": shared[:8]},
        _override(other, "load_state_dict", "_load_from_state_dict"),
    )


def _unnoticed(subject: Subject, original: nn.Module) -> Iterator[Finding]:
    """Strict loading of a dict that lacks a parameter ought to raise."""
    saved = original.state_dict()
    for name, _ in list(original.named_parameters())[:3]:
        if name not in saved:
            continue
        lacking = saved.copy()
        lacking.pop(name)
        if hasattr(saved, "_metadata"):
            lacking._metadata = saved._metadata  # type: ignore[attr-defined]
        try:
            fresh(subject, reseeded=1).load_state_dict(lacking)
        except Exception:
            continue
        where = _override(original, "load_state_dict", "_load_from_state_dict")
        told = "load_state_dict with strict=True, the default, says nothing of it"
        yield Finding(f"a state dict without {name} is loaded: {told}", "warning", {"missing key": name}, where)
        return


def _override(module: nn.Module, *names: str) -> Location | None:
    """Return where the user overrides one of these methods of ``nn.Module``."""
    for part in module.modules():
        for name in names:
            method = getattr(type(part), name)
            if not method.__module__.startswith("torch."):
                return locate(method)
    return None
