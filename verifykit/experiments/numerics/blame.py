"""The operation at which numbers end: the first that makes an infinity or NaN of finite numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.gradients.function import real
from verifykit.tracing import Step, trace

# Operations that put an infinity where it is asked for: a mask of scores.
_FILLS = {"masked_fill", "masked_fill_", "full", "full_like", "new_full", "where", "tensor", "fill_", "triu", "tril"}
_FILLS |= {"__setitem__", "as_tensor", "scalar_tensor", "new_tensor"}

_PLAIN = {
    "truediv": "division",
    "div": "division",
    "rtruediv": "division",
    "rdiv": "division",
    "mul": "multiplication",
    "rmul": "multiplication",
    "sub": "subtraction",
    "rsub": "subtraction",
    "add": "addition",
    "radd": "addition",
    "matmul": "matrix product",
    "rpow": "pow",
    "itruediv": "division",
}


def operation(step: Step) -> str:
    """Return what people call the function of ``step``."""
    name = step.name.rpartition(".")[2].strip("_")
    return _PLAIN.get(name, name)


def forward_origin(call: Callable[[], Any]) -> Step | None:
    """Return the step of ``call`` that first makes infinities or NaN of finite numbers, or NaN of infinities."""
    known: dict[int, Tensor] = {}
    nans: Step | None = None
    alive: list[Tensor] = []
    for step in trace(call, keep_values=True):
        inputs = [known.get(id(t), t) for t in step.inputs]
        outputs = [value for value in step.values if _is_float(value)]
        if not _finite(outputs):
            if _finite(inputs) and step.name.rpartition(".")[2] not in _FILLS:
                return step
            if nans is None and _has_nan(outputs) and not _has_nan(inputs):
                nans = step
        known |= {id(t): value for t, value in zip(step.outputs, step.values, strict=True)}
        alive += step.outputs
    return nans


def backward_origin(call: Callable[[], Sequence[Tensor]], cotangents: Sequence[Tensor]) -> Step | None:
    """Return the step of ``call`` whose derivative first makes infinities or NaN of finite cotangents."""
    outputs: list[Tensor] = []
    steps = trace(lambda: outputs.extend(call()))
    tensors = {id(t): t for step in steps for t in (*step.inputs, *step.outputs) if t.requires_grad}
    pairs = [(o, u) for o, u in zip(outputs, cotangents, strict=False) if o.requires_grad]
    if not pairs or not tensors:
        return None
    total = sum((real(o) * real(u)).sum() for o, u in pairs)
    try:
        found = torch.autograd.grad(total, list(tensors.values()), allow_unused=True)  # type: ignore[arg-type]
    except RuntimeError:  # values that were changed in place
        return None
    gradients = dict(zip(tensors, found, strict=True))
    for step in reversed(steps):
        arriving = [gradients.get(id(t)) for t in step.outputs]
        leaving = [gradients.get(id(t)) for t in step.inputs]
        if any(g is not None for g in arriving) and _all_finite(arriving) and not _all_finite(leaving):
            return step
    return None


def _all_finite(gradients: Sequence[Tensor | None]) -> bool:
    return _finite([g for g in gradients if g is not None])


def _finite(tensors: Sequence[Tensor]) -> bool:
    return all(bool(t.isfinite().all()) for t in tensors if _is_float(t))


def _has_nan(tensors: Sequence[Tensor]) -> bool:
    return any(bool(t.isnan().any()) for t in tensors if _is_float(t))


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
