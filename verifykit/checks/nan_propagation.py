"""nan-propagation: NaN in one sample shows in that sample, and in no other."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import unravelled
from verifykit.experiments.observation import Batch, batch_of, loss_of, outputs_of
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.domain import OneOf, Real
from verifykit.spec.strategies import cast
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

PLACES = 4
MOST_PLACES = 24
# Changes of one element that show whether an output depends on it: of either sign, small and large.
CHANGES = (1.0, -1.0, 5.0, -5.0)
_MEANT = re.compile(r"\bnan\b|\bnans\b|missing|imput|nan_|_nan|not a number|non-?finite", re.IGNORECASE)


@dataclass(frozen=True)
class _Place:
    """One element of one input, in the sample of the batch that it belongs to."""

    index: int
    name: str
    element: tuple[int, ...]


@check("nan-propagation", family="numerics", severity="warning", requires=("determinism",))
def nan_propagation(subject: Subject) -> Iterator[Finding | Verified]:
    """NaN in one sample shows in the output of that sample, and leaves the other samples alone.

    What:
        Puts NaN into one element of each floating-point input. Where a finite change of that element changes the
        output, NaN must show in it. Where a finite change of a whole sample leaves all other samples as they are, NaN
        in it must do so too.

    Why it matters:
        NaN that is replaced by a number hides the bug that made it. NaN that spreads spoils a whole batch for one bad
        sample.

    Wrong:
        def forward(self, x):
            return torch.where(x > 0, x, 0.0)  # NaN is above nothing, so it becomes 0

    Right:
        def forward(self, x):
            return torch.relu(x)

    When to ignore:
        When NaN stands for a missing value. A docstring that says so is believed.
    """
    drawn = zip(subject.spec.inputs, subject.draw(), strict=True)
    floats = [
        i for i, (e, t) in enumerate(drawn) if t.is_floating_point() and t.numel() and not isinstance(e.domain, OneOf)
    ]
    if not floats:
        raise Skip("it has no floating-point input")
    if _says_so(subject):
        raise Skip("its documentation or its name says what it does with NaN")
    module, inputs = subject.build(), subject.draw()
    before = _floats(outputs_of(subject, module, inputs))
    if not before:
        raise Skip("it returns no floating-point numbers")
    if any(bool(t.isnan().any()) for t in before.values()):
        raise Inconclusive("its outputs are NaN at ordinary values already")
    examined, swallowed = 0, dict[Location | None, Finding]()
    for index in floats:
        judged = 0
        for place in _places(subject, inputs, index):
            hidden = _hidden(subject, module, inputs, before, place)
            judged += hidden is not None
            if hidden:
                found = _swallowed(subject, module, inputs, place)
                if found.severity == "warning" or found.location not in swallowed:
                    swallowed[found.location] = found
            if hidden or judged == PLACES:
                break
        examined += judged
    yield from swallowed.values()
    batch = batch_of(subject)
    if batch is not None:
        for index in floats:
            spread = _spread(subject, module, inputs, before, batch, index)
            if spread is not None:
                yield spread
                break
    if not examined:
        raise Inconclusive("no output changed with the elements that were looked at")
    yield Verified("NaN in one element shows in the output, or is refused", examined)


def _says_so(subject: Subject) -> bool:
    made = subject.target.obj
    owner = made if isinstance(made, type) or inspect.isroutine(made) else type(made)
    told = [subject.target.label, inspect.getdoc(owner) or "", inspect.getdoc(getattr(owner, "forward", None)) or ""]
    return any(_MEANT.search(text) for text in told)


def _places(subject: Subject, inputs: tuple[Tensor, ...], index: int) -> Iterator[_Place]:
    value = inputs[index]
    generator = torch.Generator().manual_seed(subject.seed)
    for flat in torch.randperm(value.numel(), generator=generator)[:MOST_PLACES].tolist():
        element = unravelled(flat, value.shape)
        yield _Place(index, subject.spec.inputs[index].name, element)


def _set(inputs: tuple[Tensor, ...], place: _Place, value: float | Tensor) -> tuple[Tensor, ...]:
    changed = [t.clone() for t in inputs]
    changed[place.index][place.element] = value
    return tuple(changed)


def _hidden(
    subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...], before: Mapping[str, Tensor], place: _Place
) -> bool | None:
    """Whether NaN at ``place`` shows nowhere; ``None`` where the output does not depend on it."""
    try:
        after = _floats(outputs_of(subject, module, _set(inputs, place, torch.nan)))
    except Exception:  # refused, which is as good
        return False
    if any(bool(t.isnan().any()) for t in after.values()):
        return False
    other = subject.draw(seed=1)[place.index][place.element]  # another value of its domain
    here = inputs[place.index][place.element]
    for value in (other, *(here + change for change in CHANGES)):
        try:
            moved = _floats(outputs_of(subject, module, _set(inputs, place, value)))
        except Exception:
            continue
        if any(not torch.equal(t, before[name]) for name, t in moved.items() if name in before):
            return True
    return None


def _swallowed(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...], place: _Place) -> Finding:
    loss = loss_of(subject)
    end = _where_nan_ends(subject, module, _set(inputs, place, torch.nan))
    severity: Severity = "warning"
    reason = "whatever made it stays hidden"
    if loss is not None and place.name != loss.prediction:
        severity, reason = "note", "a missing target counts as a number, or is left out"
    elif not _is_differentiable(subject, module, inputs, place.index):
        severity, reason = "note", "comparisons take it for one side"
    elif end is not None and end.name.endswith("scaled_dot_product_attention"):
        severity, reason = "note", "torch's fused attention hides it on this device"
    message = (
        f"NaN in {place.name}[{', '.join(map(str, place.element))}] gives outputs without NaN, although they depend on "
        f"that element: {reason}"
    )
    return Finding(
        message,
        severity,
        {"input": place.name, "element": list(place.element)},
        end.location if end is not None else None,
    )


def _is_differentiable(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...], index: int) -> bool:
    leaves = list(cast(inputs, torch.float64, subject.device))
    leaves[index].requires_grad_()
    try:
        outputs = _floats({str(i): t for i, t in enumerate(_outputs(subject, module, leaves))})
        return any(t.requires_grad for t in outputs.values())
    except Exception:
        return True


def _outputs(subject: Subject, module: nn.Module, leaves: list[Tensor]) -> list[Tensor]:
    return [t for t in tree_leaves(subject.call(module, leaves)) if isinstance(t, Tensor)]


def _where_nan_ends(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> Step | None:
    """The last step at which NaN goes into an operation and does not come out, as numbers."""
    last: Step | None = None
    for step in trace(partial(outputs_of, subject, module, inputs), keep_values=True):
        came = any(t.is_floating_point() and bool(t.isnan().any()) for t in step.inputs)
        left = any(t.is_floating_point() and bool(t.isnan().any()) for t in step.values)
        if came and step.values and not left and step.location is not None:
            last = step
    return last


def _spread(
    subject: Subject,
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    before: Mapping[str, Tensor],
    batch: Batch,
    index: int,
) -> Finding | None:
    """NaN in the first sample of an input, seen in others that no finite change of that sample changes."""
    axis = batch.inputs[index]
    if axis is None or inputs[index].shape[axis] < 2:
        return None
    axes = dict(zip(outputs_of(subject, module, inputs), batch.outputs, strict=False))

    def others_after(sample: Tensor | float) -> dict[str, Tensor]:
        changed = [t.clone() for t in inputs]
        changed[index].select(axis, 0).copy_(torch.as_tensor(sample, dtype=changed[index].dtype))
        after = _floats(outputs_of(subject, module, changed))
        return {name: _others(t, axes.get(name)) for name, t in after.items() if axes.get(name) is not None}

    try:
        plain = {name: _others(t, axes.get(name)) for name, t in before.items() if axes.get(name) is not None}
        usual = [subject.draw(seed=seed)[index].select(axis, 0) for seed in (1, 2)]
        large = [1e3 * usual[0], -1e3 * usual[0]] if isinstance(subject.spec.inputs[index].domain, Real) else []
        for sample in usual + large:
            moved = others_after(sample)
            if not plain or not all(
                torch.allclose(moved[name], t, rtol=1e-9, equal_nan=True) for name, t in plain.items()
            ):
                return None  # samples depend on each other, which is another check's business
        with_nan = others_after(torch.nan)
    except Exception:
        return None
    for name, expected in plain.items():
        if not torch.allclose(with_nan[name], expected, rtol=1e-9, equal_nan=True):
            turned = "are NaN" if bool(with_nan[name].isnan().any()) else "change"
            entry = subject.spec.inputs[index].name
            message = (
                f"NaN in sample 0 of {entry} reaches the other samples: theirs of {name} {turned}, although "
                "finite changes of sample 0 do not touch them"
            )
            return Finding(message, evidence={"input": entry, "output": name})
    return None


def _others(tensor: Tensor, axis: int | None) -> Tensor:
    return tensor if axis is None else tensor.narrow(axis, 1, tensor.shape[axis] - 1)


def _floats(outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: t for name, t in outputs.items() if t.is_floating_point()}
