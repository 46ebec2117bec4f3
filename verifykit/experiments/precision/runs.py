"""Runs of a subject in one floating-point type: what came out, or what it raised and what that means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from verifykit.errors import one_line
from verifykit.experiments.shapes.refusals import is_own_words
from verifykit.spec.building import cast_module
from verifykit.spec.randomness import seeded
from verifykit.spec.sampling import COMPLEX_OF
from verifykit.spec.subject import Subject, named_tensors

DOUBLE, SINGLE = torch.float64, torch.float32
HALVES = (torch.bfloat16, torch.float16)

# How torch says that it has no kernel for a type, and that two tensors that must agree in their types do not.
_LACKING = (
    r"not implemented for|not support|nsupported|only supports?|Could not run|Low precision|must be either float or"
    r"|no fake impl|No kernel|input tensor must be"
)
_MISMATCH = (
    r"(same|identical|matching) (dtype|scalar type|type)|scalar type|dtypes? match|expected dtype|Found dtype|"
    r"dtype to be equal|Input type|not the same dtype|can't be cast|mixed dtype|have the same dtype"
)
_OVERFLOW = r"cannot be converted to type .* without overflow"

Cause = Literal["mismatch", "overflow", "lacking", "own words", "other"]


@dataclass(frozen=True)
class Run:
    """What one call gave: its outputs by place, or what it raised."""

    dtype: torch.dtype
    outputs: dict[str, Tensor]
    error: Exception | None = None

    @property
    def cause(self) -> Cause:
        """What the exception means; there must be one."""
        assert self.error is not None
        return cause_of(self.error)


def attempt(subject: Subject, dtype: torch.dtype, *, training: bool = False) -> Run:
    """Call a fresh module, cast to ``dtype``, on inputs of that type; keep the outputs with their graph."""
    try:
        module, inputs = subject.build(dtype, training=training), subject.draw(dtype=dtype)
        with seeded(subject.seed):
            return Run(dtype, named_tensors(subject.call(module, inputs)))
    except Exception as error:
        return Run(dtype, {}, error)


def plain_run(subject: Subject, dtype: torch.dtype) -> Run:
    """Return :func:`attempt` in eval mode; made once for a subject."""
    return subject.once(f"run in {dtype}", lambda: attempt(subject, dtype))


def cause_of(error: Exception) -> Cause:
    """Return what an exception that a floating-point type brought about means."""
    text = str(error)
    if is_own_words(error):
        return "own words"
    if re.search(_OVERFLOW, text):
        return "overflow"
    if re.search(_LACKING, text, re.IGNORECASE):
        return "lacking"
    return "mismatch" if re.search(_MISMATCH, text, re.IGNORECASE) else "other"


def why_not(run: Run) -> str:
    """Return in words why a type could not be tried."""
    assert run.error is not None
    said = one_line(run.error)
    if run.cause == "lacking":
        return f"torch lacks a kernel ({said})"
    return f"the module refuses it ({said})" if run.cause == "own words" else said


def has_precision(subject: Subject) -> bool:
    """Whether anything fed or registered has a floating-point type that an output could follow."""
    module = subject.build()
    tensors = [*subject.draw(), *module.parameters(), *module.buffers()]
    return any(is_float(tensor) for tensor in tensors)


def is_float(value: Any) -> bool:
    """Whether it is a tensor of real or complex floating-point numbers."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())


def expected(tensor: Tensor, dtype: torch.dtype) -> bool:
    """Whether ``tensor`` is of ``dtype``, or of its complex partner."""
    return tensor.dtype in (dtype, COMPLEX_OF[dtype])


def linked_outputs(subject: Subject) -> set[str]:
    """Return the outputs that depend on the inputs or parameters by more than a decision: all, if none has a graph."""

    def compute() -> set[str]:
        module, inputs = subject.build(), subject.draw()
        try:
            # Copies, so that a module may write into what it is given.
            leaves = [t.requires_grad_().clone() if is_float(t) else t for t in inputs]
            with torch.enable_grad(), seeded(subject.seed):
                outputs = {name: t for name, t in named_tensors(subject.call(module, leaves)).items() if is_float(t)}
        except Exception:
            return set(plain_run(subject, DOUBLE).outputs)
        return {name for name, tensor in outputs.items() if tensor.requires_grad} or set(outputs)

    return subject.once("linked outputs", compute)


def gives_numbers(subject: Subject) -> bool:
    """Whether any output holds floating-point numbers."""
    return any(is_float(tensor) and tensor.numel() for tensor in plain_run(subject, DOUBLE).outputs.values())


def is_steady(subject: Subject, *, training: bool = False) -> bool:
    """Whether two calls of fresh modules under different seeds agree: otherwise numbers tell nothing of precision."""

    def compute() -> bool:
        runs = [_seeded_call(subject, subject.build(training=training), subject.draw(), seed) for seed in (0, 1)]
        one, other = runs
        return one.keys() == other.keys() and all(
            one[name].shape == other[name].shape and torch.equal(one[name].nan_to_num(), other[name].nan_to_num())
            for name in one
        )

    def guarded() -> bool:
        try:
            return compute()
        except Exception:
            return False

    return subject.once(f"steady {training}", guarded)


def twin_in_double(subject: Subject, dtype: torch.dtype, *, training: bool = False) -> nn.Module:
    """Return a module in double precision whose parameters have the values that they have in ``dtype``, and whose
    buffers are those that it was built with.
    """
    low = subject.build(dtype, training=training)
    if dtype == SINGLE:
        return cast_module(low, DOUBLE, subject.device)
    high = subject.build(training=training)
    with torch.no_grad():
        for mine, theirs in zip(high.parameters(), low.parameters(), strict=True):
            mine.copy_(theirs)
    return high


def short(dtype: torch.dtype) -> str:
    """Return the name of a type without the package."""
    return str(dtype).removeprefix("torch.")


def _seeded_call(subject: Subject, module: nn.Module, inputs: Sequence[Tensor], seed: int) -> dict[str, Tensor]:
    with torch.no_grad(), seeded(seed):
        return {name: t.detach() for name, t in named_tensors(subject.call(module, inputs)).items()}
