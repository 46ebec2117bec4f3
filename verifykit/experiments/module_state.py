"""The state of a module: disturbed, compared, and looked through for what one module has and another has not."""

import functools
import numbers
import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from verifykit.comparison import Difference, worst_difference
from verifykit.experiments.holdings import own_attributes, storage_of
from verifykit.experiments.observation import outputs_of
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

# What the same values, laid out otherwise in memory, may differ by, relative to the greatest output: the root of eps.
# Reassociated sums are far below it, and a value that was lost far above.
SAME = float(torch.finfo(torch.float64).eps) ** 0.5


@dataclass(frozen=True)
class Unequal:
    """An output that two modules do not agree in."""

    output: str
    at: Difference | None

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers that convince."""
        if self.at is None:
            return {"output": self.output}
        return {
            "output": self.output,
            "element": list(self.at.index),
            "actual": self.at.actual,
            "expected": self.at.expected,
            "difference": self.at.error,
            "tolerance": self.at.tolerance,
        }


def is_module(subject: Subject) -> bool:
    """Whether the target is a module, or makes one, rather than a function, which holds no state."""
    return subject.target.kind in ("class", "instance", "factory")


def fresh(subject: Subject, *, reseeded: int = 0, training: bool = False) -> nn.Module:
    """Return a fresh module, built under another seed if ``reseeded`` says so."""
    return replace(subject, seed=subject.seed + reseeded, _shared={}).build(training=training)


def disturb(module: nn.Module, *, seed: int = 0) -> None:
    """Move every floating-point and complex parameter off where it was initialised, the same way for one ``seed``."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.is_floating_point() or parameter.is_complex():
                noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(parameter.device)
                parameter.mul_(1 + 0.1 * noise).add_(0.01 * noise)


def run_in_training(subject: Subject, module: nn.Module, calls: int = 2) -> bool:
    """Call ``module`` in training mode, on other inputs each time, and return whether it accepts that."""
    module.train()
    try:
        for call in range(1, calls + 1):
            outputs_of(subject, module, subject.draw(seed=call), seed=call)
    except Exception:
        return False
    finally:
        module.eval()
    return True


def unequal(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Unequal | None:
    """Return the first output that differs by more than rounding, ``None`` where all agree."""
    for name in {**expected, **actual}:
        one, other = actual.get(name), expected.get(name)
        if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
            return Unequal(name, None)
        scale = float(other.abs().nan_to_num(posinf=0, neginf=0).max()) if other.numel() else 0.0
        floating = other.is_floating_point() or other.is_complex()
        worst = worst_difference(one, other, SAME * scale if floating else 0.0)
        if worst is not None and worst.excess > 1:
            return Unequal(name, worst)
    return None


def tells_nothing(outputs: Mapping[str, Tensor]) -> bool:
    """Whether there is no finite number in the outputs that could differ."""
    return not any(bool(tensor.isfinite().any()) for tensor in outputs.values())


def ties(module: nn.Module) -> set[frozenset[str]]:
    """Return the groups of names under which one and the same memory is registered as parameters."""
    groups: dict[int, set[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if parameter.numel():
            groups.setdefault(storage_of(parameter), set()).add(name)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def unequal_tensors(one: nn.Module, other: nn.Module) -> list[str]:
    """Return the names of parameters and buffers in which two modules of one kind differ."""
    mine, theirs = (dict([*m.named_parameters(), *m.named_buffers()]) for m in (one, other))
    return [name for name in mine if name not in theirs or not alike(mine[name], theirs[name])]


def unequal_attributes(one: nn.Module, other: nn.Module) -> dict[str, tuple[Any, Any]]:
    """Return the plain attributes in which two modules of one kind differ, as ``self.NAME``, with both values."""
    found: dict[str, tuple[Any, Any]] = {}
    parts = dict(other.named_modules())
    for prefix, part in one.named_modules():
        theirs = own_attributes(parts[prefix]) if prefix in parts else {}
        for name, value in own_attributes(part).items():
            if name != "training" and not alike(value, theirs.get(name)):
                dotted = f"self.{prefix}.{name}" if prefix else f"self.{name}"
                found[dotted] = (value, theirs.get(name))
    return found


def alike(one: Any, other: Any) -> bool:
    """Whether two plain values, tensors, arrays, or containers of them are equal; what cannot be compared is."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool(torch.equal(one, other) or ((one == other) | ((one != one) & (other != other))).all())
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == object or np.array_equal(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    plain = (numbers.Number, str, type(None), Tensor, np.ndarray, list, tuple, dict)
    if isinstance(one, plain) and isinstance(other, plain):
        return type(one) is type(other) and (one == other or one != one)
    return True


def captures(value: Any, modules: set[int], depth: int = 0) -> bool:
    """Whether a function, by its closure or its bound arguments, holds one of ``modules`` (by id)."""
    if depth > 4:
        return False
    inner: list[Any] = []
    if isinstance(value, nn.Module):
        return id(value) in modules
    if isinstance(value, functools.partial):
        inner = [value.func, *value.args, *value.keywords.values()]
    elif isinstance(value, types.MethodType):
        inner = [value.__self__]
    elif isinstance(value, types.FunctionType):
        inner = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
        inner += [*(value.__defaults__ or ())]
    elif isinstance(value, list | tuple):
        inner = list(value)
    elif isinstance(value, dict):
        inner = list(value.values())
    return any(captures(item, modules, depth + 1) for item in inner)


def call_with_gradient(subject: Subject, module: nn.Module, seed: int = 0) -> bool:
    """Call ``module`` as training does, with a graph; return whether it accepts that."""
    try:
        with torch.enable_grad(), seeded(seed):
            subject.call(module, [tensor.clone() for tensor in subject.draw()])
    except Exception:
        return False
    return True


def _is_filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True
