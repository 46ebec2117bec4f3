"""Forwards and backwards of one module in one order or another."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.comparison import worst_difference
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

# Tables made for other sizes may round differently; what leaks is many orders of magnitude greater.
ROUNDINGS = 1024


def leaves_of(subject: Subject, module: nn.Module, seed: int) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Return fresh inputs that want gradients where they can, and all that want one, by name."""
    inputs = [t.clone().requires_grad_(t.is_floating_point() or t.is_complex()) for t in subject.draw(seed=seed)]
    wanted = {name: t for name, t in zip(subject.input_names, inputs, strict=True) if t.requires_grad}
    return inputs, wanted | {f"parameter {n}": p for n, p in module.named_parameters() if p.requires_grad}


def differentiable_outputs(subject: Subject, module: nn.Module, inputs: Sequence[Tensor], seed: int) -> list[Tensor]:
    """Return the outputs that have a graph, random draws fixed by ``seed``."""
    with torch.enable_grad(), seeded(seed):
        outputs = named_tensors(subject.call(module, [t.clone() for t in inputs])).values()
    return [t for t in outputs if t.requires_grad]


def _pulled(outputs: Sequence[Tensor], leaves: dict[str, Tensor]) -> dict[str, Tensor]:
    cotangents = [torch.linspace(0.5, 1.5, t.numel(), device=t.device).to(t.dtype).view(t.shape) for t in outputs]
    grads = torch.autograd.grad(list(outputs), list(leaves.values()), cotangents, allow_unused=True)
    return {name: grad.clone() for name, grad in zip(leaves, grads, strict=True) if grad is not None}


def gradients(subject: Subject, module: nn.Module, seed: int) -> dict[str, Tensor] | None:
    """Return the gradient of each leaf for a fixed cotangent, ``None`` where nothing can be differentiated."""
    inputs, leaves = leaves_of(subject, module, seed)
    outputs = differentiable_outputs(subject, module, inputs, seed)
    return _pulled(outputs, leaves) if outputs and leaves else None


def both_gradients(subject: Subject, module: nn.Module, *, together: bool) -> list[dict[str, Tensor]]:
    """Return the gradients of two calls, both forwards before both backwards where ``together``."""
    if not together:
        return [gradients(subject, module, seed) or {} for seed in (0, 1)]
    calls = [leaves_of(subject, module, seed) for seed in (0, 1)]
    outputs = [differentiable_outputs(subject, module, inputs, seed) for seed, (inputs, _) in enumerate(calls)]
    return [_pulled(out, leaves) for out, (_, leaves) in zip(outputs, calls, strict=True)]


def disagreement(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, Any] | None:
    """Return which tensor of ``actual`` is not that of ``expected``, as evidence; ``None`` where all agree."""
    for name, want in expected.items():
        have = actual.get(name)
        if have is None or have.shape != want.shape or have.dtype != want.dtype:
            return {"output": name, "shape": list(have.shape) if have is not None else None, "fresh": list(want.shape)}
        tolerance = 0.0
        if want.is_floating_point() or want.is_complex():
            finite = want.abs()[want.isfinite()]
            tolerance = ROUNDINGS * torch.finfo(want.dtype).eps * (float(finite.max()) if finite.numel() else 0.0)
        worst = worst_difference(have, want, tolerance)
        if worst is not None and worst.excess > 1:
            return {
                "output": name,
                "element": list(worst.index),
                "found": worst.actual,
                "expected": worst.expected,
                "tolerance": f"{tolerance:.2g} ({ROUNDINGS} roundings of the greatest value)",
            }
    return None
