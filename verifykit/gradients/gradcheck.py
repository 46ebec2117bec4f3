"""``verifykit.gradcheck``: the call of ``torch.autograd.gradcheck``, answered by the engine."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.gradients.function import Function, Tensors
from verifykit.gradients.verdict import Verdict
from verifykit.gradients.verify import NotDifferentiableError, verify

# Elements above which one direction has to do.
MANY = 2_000_000
DOUBLE = {torch.complex64: torch.complex128, torch.complex32: torch.complex128, torch.complex128: torch.complex128}


class GradcheckError(RuntimeError):
    """The gradient is wrong, or nothing could be said about it; ``verdict`` holds the numbers."""

    def __init__(self, message: str, verdict: Verdict) -> None:
        super().__init__(message)
        self.verdict = verdict


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    raise_exception: bool = True,
    seed: int = 0,
    probes: int | None = None,
) -> bool:
    """Check the gradient of ``func`` at ``inputs``, as ``torch.autograd.gradcheck`` does, and say where it is wrong.

    There is no step and no tolerance to give: both follow from the error bar, which is measured. What is called wrong
    exceeds it tenfold.

    Args:
        func: takes ``inputs``, returns a tensor or any nesting of tensors.
        inputs: one tensor or a sequence; those that require gradients are checked, in double precision (others are
            converted to it), anything else is passed through.
        raise_exception: raise where the check does not pass; otherwise return ``False``.
        seed: fixes directions, and the random draws of ``func``.
        probes: number of random directions, at least 1; 3 unless the inputs have more than two million elements.

    Returns:
        ``True`` where the gradient agrees along every direction, or lies between the one-sided derivatives of a kink.

    Raises:
        GradcheckError: the gradient is wrong, or no verdict was possible; the message says which, where and why.
        ValueError: no input requires a gradient, or no output can be differentiated.
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    function, point = _as_function(func, given, seed)
    if probes is None:
        probes = 3 if sum(leaf.numel() for leaf in point) <= MANY else 1
    try:
        verdict = verify(function, point, seed=seed, probes=probes)
    except NotDifferentiableError as error:
        raise ValueError(f"gradcheck: {error}") from None
    if verdict.kind in ("match", "kink"):
        return True
    if raise_exception:
        raise GradcheckError(describe(verdict), verdict)
    return False


def describe(verdict: Verdict) -> str:
    """Return the verdict in words: for a mismatch each leaf, its worst element with both values, the likely cause."""
    if not verdict.is_wrong:
        return f"{verdict.kind}: {verdict.reason}"
    lines = [f"{verdict.kind} along a random direction: autograd {verdict.analytic:.9g}, "
             f"numerical {verdict.numerical:.9g} ± {verdict.bar:.1g}"]  # fmt: skip
    for found in verdict.mismatches:
        element = found.element
        lines.append(
            f"{element.leaf}{list(element.index) or ''}: autograd {element.analytic:.9g}, numerical "
            f"{element.numerical:.9g} ± {element.bar:.1g}; wrong in {found.pattern}; {found.cause}"
        )
    return "\n".join(lines)


def _as_function(func: Callable[..., Any], given: tuple[Any, ...], seed: int) -> tuple[Function, Tensors]:
    checked = [index for index, value in enumerate(given) if isinstance(value, Tensor) and value.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient; set requires_grad on those to check")

    def call(leaves: Tensors) -> Any:
        replaced = dict(zip(checked, leaves, strict=True))
        return func(*(replaced.get(index, value) for index, value in enumerate(given)))

    point = [given[index].detach().to(DOUBLE.get(given[index].dtype, torch.float64)) for index in checked]
    return Function(call, [f"input {index}" for index in checked], seed), point
