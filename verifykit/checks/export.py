"""export: torch.export captures the module for every batch size."""

import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import rounding_tolerance
from verifykit.errors import one_line
from verifykit.experiments.observation import batch_of, outputs_of
from verifykit.experiments.passes import NOT_REPEATED, evidence_of, repeats, worst_of
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

Sizes = Mapping[str, int]


class _Wrapped(nn.Module):
    """The module called as its spec says, its inputs in order: exporting asks for one signature."""

    def __init__(self, subject: Subject, module: nn.Module) -> None:
        super().__init__()
        self.subject, self.module = [subject], module

    def forward(self, *inputs: Tensor) -> Any:
        return self.subject[0].call(self.module, inputs)


@check("export", family="tooling", requires=("determinism",), default=False)
def export(subject: Subject) -> Iterator[Finding | Verified]:
    """The module survives torch.export, with a dynamic batch dimension, and computes the same afterwards.

    What:
        Exports the module in eval mode, with the dimension that counts samples left open where the spec has one, saves
        and loads the program, and compares its outputs with the module's, in double precision, on other values and
        at another batch size. What export refuses is a warning with the line.

    Why it matters:
        Deployment starts with torch.export. A Python value that depends on the data, or on the batch at hand, is baked
        into the program: either export refuses it, or the program is right for the example only.

    Wrong:
        def forward(self, x):
            return torch.stack([self.layer(x[i]) for i in range(len(x))])  # unrolled for the example's batch size

    Right:
        def forward(self, x):
            return self.layer(x)

    When to ignore:
        When the module will not be exported.
    """
    inputs = subject.draw()
    if not inputs:
        raise Skip("it has no inputs")
    axes, symbol = _dynamic(subject)
    with _quiet():
        said = [*_examined(subject, inputs, axes, symbol)]
    yield from said


def _examined(
    subject: Subject, inputs: Sequence[Tensor], axes: list[int | None] | None, symbol: str
) -> Iterator[Finding | Verified]:
    sizes: list[Sizes | None] = [None, None]
    try:
        program = _exported(subject, inputs, axes, symbol)
        if axes is not None:
            sizes.append({symbol: subject.spec.usual_sizes[symbol] + 2})
    except Exception as error:
        if axes is not None and _exports(subject, inputs):
            told = f"torch.export takes it for one size of {symbol} only: {_short(error)}"
        else:
            told = f"torch.export refuses it: {_short(error)}"
        yield Finding(told, "warning", location=raised_location(error))
        return
    try:
        program = _through_a_file(program)
    except Exception as error:
        yield Finding(f"the exported program cannot be saved and loaded: {_short(error)}", "warning")
        return
    worst = _compared(subject, program, sizes)
    if isinstance(worst, Finding):
        if not repeats(subject):
            raise Inconclusive(NOT_REPEATED)
        yield worst
        return
    what = f"outputs of the exported program, saved and loaded{f', {symbol} dynamic' if axes is not None else ''}"
    yield Verified(what, len(sizes), worst, "rounding, as single precision shows it")


def _dynamic(subject: Subject) -> tuple[list[int | None] | None, str]:
    """Return at which axis samples stand in each input; ``None`` where they cannot be left open."""
    batch = batch_of(subject)
    if batch is None:
        return None, ""
    for entry, axis in zip(subject.spec.inputs, batch.inputs, strict=True):
        if sum(symbol == batch.symbol for symbol in entry.symbols) != (axis is not None):
            return None, ""
    return list(batch.inputs), batch.symbol


def _exported(subject: Subject, inputs: Sequence[Tensor], axes: list[int | None] | None, symbol: str) -> Any:
    shapes = None
    if axes is not None:
        dimension = torch.export.Dim(symbol if symbol.isidentifier() else "batch")
        shapes = (tuple(None if axis is None else {axis: dimension} for axis in axes),)
    with torch.no_grad():
        module = _Wrapped(subject, subject.build())
        copies = tuple(tensor.clone() for tensor in inputs)
        return torch.export.export(module, copies, dynamic_shapes=shapes, strict=False)


def _exports(subject: Subject, inputs: Sequence[Tensor]) -> bool:
    try:
        _exported(subject, inputs, None, "")
    except Exception:
        return False
    return True


def _through_a_file(program: Any) -> nn.Module:
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded: nn.Module = torch.export.load(file).module()
    return loaded


def _compared(subject: Subject, program: nn.Module, sizes: Sequence[Sizes | None]) -> Finding | float:
    """Return what is wrong with the program, or by how much it differs at most."""
    module, single = subject.build(), subject.build(torch.float32)
    apart = 0.0
    for seed, given in enumerate(sizes):
        inputs = subject.draw(given, seed=seed)
        try:
            expected = outputs_of(subject, module, inputs)
            rough = outputs_of(subject, single, subject.draw(given, torch.float32, seed=seed))
        except Exception as error:
            raise Inconclusive(f"the module itself cannot be called there: {one_line(error)}") from None
        at = f" at {', '.join(f'{name} = {size}' for name, size in given.items())}" if given else ""
        try:
            with torch.no_grad(), seeded(0):  # as in outputs_of
                found = named_tensors(program(*[tensor.clone() for tensor in inputs]))
        except Exception as error:
            return Finding(f"the exported program raises{at} where the module does not: {_short(error)}", None)
        shapes = {name: list(t.shape) for name, t in expected.items()}, {n: list(t.shape) for n, t in found.items()}
        if shapes[0] != shapes[1]:
            return Finding(f"the exported program returns shapes {shapes[1]}{at} where the module returns {shapes[0]}")
        tolerances = {
            name: rounding_tolerance(t, rough.get(name, t), torch.float64)
            for name, t in expected.items()
            if t.is_floating_point() or t.is_complex()
        }
        worst = worst_of(found, expected, tolerances)
        if worst is not None and worst[1].excess > 1:
            name, difference = worst
            evidence = evidence_of(name, difference, "exported", "module")
            return Finding(f"the exported program computes another {name} than the module{at}", None, evidence)
        apart = max(apart, worst[1].error if worst else 0.0)
    return apart


def _short(error: BaseException) -> str:
    if type(error).__name__ == "GuardOnDataDependentSymNode":
        return "a decision in Python depends on the data"
    violated = re.search(r"^\s*- (.+)", str(error), re.MULTILINE)
    if "Constraints violated" in str(error) and violated:
        return violated[1].partition("If you're using")[0].strip()[:240]
    return one_line(error)[:240]


@contextmanager
def _quiet() -> Iterator[None]:
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # where export prints what it has so far
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
