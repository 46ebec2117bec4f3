"""What a module does, as far as anybody who calls it can tell."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from verifykit.comparison import worst_difference
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

# Two orders of the same sums differ by some units of rounding of the greatest value in sight.
ROUNDINGS = 256.0

Mode = Callable[[], AbstractContextManager[Any]]
# Tensors that must agree up to rounding, and plain facts that must be equal.
Behaviour = list[tuple[list[Tensor], list[Any]]]


def behaviour(subject: Subject, mode: Mode, *, training: bool) -> Behaviour:
    """Return what a fresh module does in double precision at the usual sizes, each call being made inside ``mode()``.

    That is outputs, their layout, gradients of all inputs and parameters, and what the inputs, parameters and buffers
    are afterwards; then, without gradients, how outputs change when the caller writes to the inputs and to the outputs,
    which shows what shares memory with what; and what the next call returns, which shows what it remembers. Whatever
    the module raises passes through.
    """
    module = subject.build(training=training)

    def call(inputs: Sequence[Tensor]) -> dict[str, Tensor]:
        with seeded(subject.seed), mode():
            return named_tensors(subject.call(module, inputs))

    def state() -> list[Tensor]:
        return [t.detach().clone() for t in [*module.parameters(), *module.buffers()]]

    leaves = [t.requires_grad_(_is_differentiable(t)) for t in subject.draw()]
    fed = [t.clone() for t in leaves]
    outputs = call(fed)
    found: Behaviour = [(_copies(outputs.values()), [(name, t.stride(), t.dtype) for name, t in outputs.items()])]
    found.append(_gradients([*leaves, *module.parameters()], list(outputs.values()), subject.seed))
    found.append((_copies(fed), []))
    found.append((state(), []))
    with torch.no_grad():
        fed = [t.clone() for t in subject.draw(seed=1)]
        outputs = call(fed)
        refused = list(_overwrite(fed))
        found.append((_copies(outputs.values()), refused))
        refused = list(_overwrite(outputs.values()))
        found.append((_copies(outputs.values()), refused))
        found.append((state(), []))
        found.append((_copies(call([t.clone() for t in subject.draw(seed=2)]).values()), []))
    return found


def same(one: Behaviour, other: Behaviour) -> bool:
    """Return whether two behaviours agree up to rounding."""
    return all(
        facts == others and _agree(tensors, expected)
        for (tensors, facts), (expected, others) in zip(one, other, strict=True)
    )


def _agree(tensors: Sequence[Tensor], expected: Sequence[Tensor]) -> bool:
    if [(t.shape, t.dtype) for t in tensors] != [(t.shape, t.dtype) for t in expected]:
        return False
    scale = max((_greatest(t) for t in expected), default=0.0)
    for tensor, other in zip(tensors, expected, strict=True):
        tolerance = ROUNDINGS * torch.finfo(other.dtype).eps * scale if _is_differentiable(other) else 0.0
        worst = worst_difference(tensor, other, tolerance)
        if worst is not None and worst.excess > 1:
            return False
    return True


def _greatest(tensor: Tensor) -> float:
    if not _is_differentiable(tensor):
        return 0.0
    finite = tensor.abs()[tensor.isfinite()]
    return float(finite.max()) if finite.numel() else 0.0


def _gradients(leaves: list[Tensor], outputs: list[Tensor], seed: int) -> tuple[list[Tensor], list[Any]]:
    wanted = [t for t in leaves if t.requires_grad]
    ends = [t for t in outputs if t.requires_grad]
    if not wanted or not ends:
        return [], [len(ends)]
    with seeded(seed):
        cotangents = [torch.randn_like(t) for t in ends]
    gradients = torch.autograd.grad(ends, wanted, cotangents, allow_unused=True)
    return [g.clone() for g in gradients if g is not None], [g is None for g in gradients]


def _overwrite(tensors: Any) -> Iterator[bool]:
    """Write another number to each and say which of them cannot be written to."""
    for number, tensor in enumerate(tensors, 2):
        try:
            tensor.fill_(number)
            yield False
        except RuntimeError:  # several elements share their memory
            yield True


def _copies(tensors: Any) -> list[Tensor]:
    return [t.detach().clone() for t in tensors]


def _is_differentiable(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
