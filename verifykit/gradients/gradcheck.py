"""``verifykit.gradcheck``: the call of ``torch.autograd.gradcheck``, answered by the engine."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from verifykit.gradients.dense import TooLargeError
from verifykit.gradients.forward import verify_forward
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
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool | None = None,
    seed: int = 0,
    probes: int | None = None,
    **others: Any,
) -> bool:
    """Check the gradient of ``func`` at ``inputs``, as ``torch.autograd.gradcheck`` does, and say where it is wrong.

    There is no step and no tolerance to give: both follow from the error bar, which is measured. What is called wrong
    exceeds it tenfold. Calls written for torch work as they are: its other keywords are accepted, and a warning says
    which of them have no effect here.

    Args:
        func: takes ``inputs``, returns a tensor or any nesting of tensors.
        inputs: one tensor or a sequence; those that require gradients are checked, in double precision (others are
            converted to it, with a warning), anything else is passed through.
        raise_exception: raise where the check does not pass; otherwise return ``False``.
        check_forward_ad: check forward-mode derivatives too.
        check_backward_ad: check gradients from backward.
        fast_mode: probe along random directions (``True``), or compare the whole Jacobian element by element too
            (``False``), which costs time in proportion to its size; ``None`` does the latter where it is cheaper.
        seed: fixes directions, and the random draws of ``func``.
        probes: number of random directions, at least 1; 3 unless the inputs have more than two million elements.
        others: keywords of ``torch.autograd.gradcheck`` without a meaning here.

    Returns:
        ``True`` where the gradient agrees along every direction, or lies between the one-sided derivatives of a kink.

    Raises:
        GradcheckError: the gradient is wrong, or no verdict was possible; the message says which, where and why.
        ValueError: no input requires a gradient, no output can be differentiated, or the Jacobian that
            ``fast_mode=False`` asks for takes more than 256 MiB.
        TypeError: a keyword that ``torch.autograd.gradcheck`` does not know either.
    """
    _warn_of(others)
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    function, point = _as_function(func, given, seed)
    if probes is None:
        probes = 3 if sum(leaf.numel() for leaf in point) <= MANY else 1
    elementwise = None if fast_mode is None else not fast_mode
    try:
        verdicts = []
        if check_backward_ad:
            verdicts.append(verify(function, point, seed=seed, probes=probes, elementwise=elementwise))
        if check_forward_ad:
            verdicts.append(verify_forward(function, point, seed=seed, probes=probes))
    except (NotDifferentiableError, TooLargeError) as error:
        raise ValueError(f"gradcheck: {error}") from None
    failed = [verdict for verdict in verdicts if verdict.kind not in ("match", "kink")]
    if failed and raise_exception:
        raise GradcheckError(describe(failed[0]), failed[0])
    return not failed


def _warn_of(others: dict[str, Any]) -> None:
    unknown = set(others) - set(inspect.signature(torch.autograd.gradcheck).parameters)
    if unknown:
        raise TypeError(f"gradcheck: unexpected keyword {', '.join(sorted(unknown))}")
    without_effect = [name for name, value in others.items() if value]
    if without_effect:
        told = f"gradcheck: no effect of {', '.join(without_effect)}: step, tolerance and determinism are measured here"
        warnings.warn(told, stacklevel=3)


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
    for index, leaf in zip(checked, point, strict=True):
        if given[index].dtype != leaf.dtype:
            converted = f"{given[index].dtype} converted to {leaf.dtype}".replace("torch.", "")
            warnings.warn(f"gradcheck: input {index} is checked as {converted}", stacklevel=3)
    return Function(call, [f"input {index}" for index in checked], seed), point
