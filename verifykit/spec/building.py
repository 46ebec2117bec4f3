"""Making live modules: constructing a target of any kind, casting it, and quoting what it raises."""

import copy
import inspect
import traceback
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from verifykit.errors import SpecError, did_you_mean, one_line
from verifykit.results import Location
from verifykit.spec.sampling import COMPLEX_OF
from verifykit.targets import Target, display_path


class FunctionModule(nn.Module):
    """A plain function as a module without parameters, so that everything downstream sees modules only."""

    def __init__(self, function: Any, keywords: Mapping[str, Any]) -> None:
        super().__init__()
        self.function = function
        self.keywords = dict(keywords)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.function(*inputs, **named, **self.keywords)


class AppliedFunction(nn.Module):
    """An ``autograd.Function`` as a module: constants stand in their places among the inputs of ``apply``."""

    def __init__(self, function: type[torch.autograd.Function], constants: Mapping[str, Any]) -> None:
        super().__init__()
        self.function = function
        self.constants = dict(constants)

    def forward(self, *inputs: Any) -> Any:
        if not self.constants:
            return self.function.apply(*inputs)  # type: ignore[no-untyped-call]
        waiting = list(inputs)
        values = []
        for name in function_arguments(self.function):
            if name not in self.constants and not waiting:
                break
            values.append(self.constants[name] if name in self.constants else waiting.pop(0))
        return self.function.apply(*values, *waiting)  # type: ignore[no-untyped-call]


def function_arguments(function: type[torch.autograd.Function]) -> list[str]:
    """Return the names of the arguments of ``apply``: those of ``forward`` without its context."""
    names = list(inspect.signature(function.forward).parameters)
    return names[1:] if names[:1] == ["ctx"] else names


def construct(target: Target, init: Mapping[str, Any]) -> nn.Module:
    """Return a new module made of ``target`` with constructor arguments ``init``, an instance being copied.

    Raises:
        SpecError: an argument that the constructor does not take, or the constructor raises.
    """
    if target.kind == "function":
        return FunctionModule(target.obj, init)
    if target.kind == "autograd.Function":
        return AppliedFunction(target.obj, init)
    if target.kind == "instance":
        if init:
            raise SpecError(f"{target.name} is a ready instance: it takes no --init {', '.join(init)}.")
        module: nn.Module = copy.deepcopy(target.obj)
        return module
    _refuse_unknown_arguments(target, init)
    try:
        module = target.obj(**init)
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in init.items())
        raise SpecError(f"{target.label}({given}) raised{raised_at(error)}: {one_line(error)}") from error
    if not isinstance(module, nn.Module):
        raise SpecError(f"{target.name} returned a value of type {type(module).__name__}: expected an nn.Module.")
    return module


def is_unsized(module: nn.Module) -> bool:
    """Whether it is lazy: its sizes come from its first call."""
    return any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers()))


def cast_module(module: nn.Module, dtype: torch.dtype, device: str) -> nn.Module:
    """Return ``module`` on ``device`` with floating-point parameters and buffers in ``dtype``, complex ones in its
    complex partner (``nn.Module.to`` would drop imaginary parts, ``nn.Module.double`` leaves complex ones as they are).
    """

    def cast(tensor: Tensor) -> Tensor:
        if tensor.is_floating_point():
            return tensor.to(device, dtype)
        return tensor.to(device, COMPLEX_OF[dtype]) if tensor.is_complex() else tensor.to(device)

    module._apply(cast)  # type: ignore[no-untyped-call]
    return module


def raised_location(error: BaseException) -> Location | None:
    """Return the innermost frame of ``error``, below the last one of ours, that is not torch's, or ``None``."""
    ours, torchs = __file__.rpartition("spec")[0], torch.__file__.rpartition("__init__")[0]
    stack = traceback.extract_tb(error.__traceback__)
    last = max((depth for depth, f in enumerate(stack) if f.filename.startswith(ours)), default=-1)
    frames = [f for f in stack[last + 1 :] if not f.filename.startswith((torchs, "<"))]
    return Location(display_path(frames[-1].filename), frames[-1].lineno or 1) if frames else None


def raised_at(error: BaseException) -> str:
    """Return `` at file:line`` of :func:`raised_location`, or ``""``."""
    location = raised_location(error)
    return f" at {location}" if location else ""


def _refuse_unknown_arguments(target: Target, init: Mapping[str, Any]) -> None:
    try:
        parameters = inspect.signature(target.obj).parameters.values()
    except (TypeError, ValueError):
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
    for name in init:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise SpecError(f"{target.name} has no argument {name!r}: {takes}.{did_you_mean(name, known)}")
