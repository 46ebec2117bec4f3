"""Operations that are given an integer input as floating-point numbers, as losses want their targets."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from torch import Tensor

from verifykit.identify.catalogue.factory import Factory
from verifykit.identify.facts import Facts
from verifykit.targets import Target


def with_casts(factory: Factory, facts: Facts) -> Factory | None:
    """Return ``factory`` of an operation that takes the integer inputs of ``facts`` as floating-point numbers, written
    ``operation(x, y.float())``; ``None`` where no such input has the shape of a floating-point one, as a target has
    that of what is held against it.
    """
    shapes = {tensor.shape for tensor in facts.inputs if tensor.is_floating_point()}
    cast = [_is_integer(tensor) and tensor.shape in shapes for tensor in facts.inputs]
    if not any(cast) or factory.passed not in ("", "{inputs}"):
        return None
    passed = ", ".join(f"{{{at}}}.float()" if is_cast else f"{{{at}}}" for at, is_cast in enumerate(cast))
    made = _of_floats(factory.target.obj) if factory.is_class else _casting(factory.target.obj)
    return replace(factory, target=Target(factory.target.name, made, factory.target.kind, None), passed=passed)


def _of_floats(made: Any) -> Any:
    """The module class ``made`` with a forward that casts."""
    return type(made.__name__, (made,), {"forward": _casting(made.forward), "__module__": made.__module__})


def _casting(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its integer tensors cast to the dtype of its floating-point ones."""

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        dtype = next((v.dtype for v in given if isinstance(v, Tensor) and v.is_floating_point()), None)
        return function(*(v.to(dtype) if dtype is not None and _is_integer(v) else v for v in given), **named)

    return called


def _is_integer(value: Any) -> bool:
    return isinstance(value, Tensor) and not value.is_floating_point() and not value.is_complex()
