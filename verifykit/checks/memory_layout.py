"""memory-layout: outputs depend on the values of an input, and not on how they lie in memory."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from verifykit.checks.registry import Skip, check
from verifykit.experiments.observation import outputs_of
from verifykit.experiments.shapes.batches import disagreement, tolerances
from verifykit.experiments.shapes.layouts import LAYOUTS, expanded
from verifykit.experiments.shapes.refusals import complaint, is_own_words
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import trace


@check("memory-layout", family="shape", requires=("determinism",))
def memory_layout(subject: Subject) -> Iterator[Finding | Verified]:
    """Inputs of the same values in another memory layout give the same outputs.

    What:
        Feeds each input, in turn, as a transposed tensor, as a slice out of a larger one, as every second element, at
        an offset in its storage, channels last, and with all samples in one place as expand makes them, and compares
        the outputs with those for the contiguous tensor of the same values.

    Why it matters:
        Nobody promises a module contiguous inputs: what comes out of a transpose, a slice or an expand is not. A view
        then raises, and code that reads the storage computes with other numbers.

    Wrong:
        def forward(self, x):
            return self.linear(x.view(x.shape[0], -1))  # raises behind a transpose

    Right:
        def forward(self, x):
            return self.linear(x.flatten(1))

    When to ignore:
        When the module says itself, and for a reason, that it wants contiguous inputs.
    """
    inputs = subject.draw()
    if not any(tensor.numel() > 1 for tensor in inputs):
        raise Skip("no input has more than one element")
    usual = subject.build()
    bounds = tolerances(subject, inputs)
    expected = outputs_of(subject, usual, inputs)
    if not expected:
        raise Skip("the module returns no tensor")
    count = 0
    for index, tensor in enumerate(inputs):
        for layout, make in LAYOUTS.items():
            made = make(tensor)
            if made is None:
                continue
            count += 1
            fed = [*inputs[:index], made, *inputs[index + 1 :]]
            finding = _differs(subject, index, layout, fed, expected, bounds)
            if finding is not None:
                yield finding
                return
    for index in range(len(inputs)):
        flat = _alike(inputs, index)
        if flat is None:
            continue
        try:
            same = outputs_of(subject, subject.build(), flat)
        except Exception:  # it does not take samples that are all alike
            continue
        if _writes(subject, flat, index):
            continue  # it changes the values that it is given: a matter of its own
        count += 1
        fed = [*flat[:index], expanded(flat[index]), *flat[index + 1 :]]
        finding = _differs(subject, index, "expanded (stride 0)", fed, same, tolerances(subject, flat))
        if finding is not None:
            yield finding
            return
    yield Verified("outputs for inputs in other memory layouts", count, None, "rounding measured")


def _alike(inputs: Sequence[Tensor], index: int) -> list[Tensor] | None:
    """The inputs, the first entry of one of them repeated along its first dimension."""
    tensor = inputs[index]
    if tensor.ndim == 0 or tensor.shape[0] < 2:
        return None
    return [*inputs[:index], tensor[:1].expand(tensor.shape).contiguous(), *inputs[index + 1 :]]


def _writes(subject: Subject, inputs: Sequence[Tensor], index: int) -> bool:
    copies = [tensor.clone() for tensor in inputs]
    with torch.no_grad(), seeded(0):
        subject.call(subject.build(), copies)
    return not torch.equal(copies[index].nan_to_num(), inputs[index].nan_to_num())


def _differs(
    subject: Subject,
    index: int,
    layout: str,
    fed: Sequence[Tensor],
    expected: dict[str, Tensor],
    bounds: dict[str, float],
) -> Finding | None:
    name = subject.input_names[index]
    tensor = fed[index]
    evidence: dict[str, object] = {
        "input": name,
        "shape": list(tensor.shape),
        "strides": list(tensor.stride()),
        "storage offset": tensor.storage_offset(),
    }
    try:
        with torch.no_grad(), seeded(0):
            others = [other.clone() if other is not tensor else tensor for other in fed]
            found = {key: value.clone() for key, value in named_tensors(subject.call(subject.build(), others)).items()}
    except Exception as error:
        return Finding(
            f"it raises when {name} is {layout}, and takes the same values contiguous{complaint(error)}",
            "warning" if is_own_words(error) else "error",
            evidence,
            raised_location(error),
        )
    for key, value in expected.items():
        other = found.get(key)
        if other is None or other.shape != value.shape:
            shape = None if other is None else list(other.shape)
            return Finding(
                f"when {name} is {layout}, {key} has shape {shape} instead of {list(value.shape)}", evidence=evidence
            )
        # Other strides lead to other kernels: each evaluation has its own rounding.
        worst = disagreement(other.to(value.dtype), value, 2 * bounds[key])
        if worst is not None:
            evidence |= {"output": key, "element": list(worst.index), "found": worst.actual, "expected": worst.expected}
            evidence["tolerance"] = 2 * bounds[key]
            return Finding(
                f"when {name} is {layout}, {key} at {list(worst.index)} is {worst.actual:.6g}; for the same values "
                f"contiguous it is {worst.expected:.6g}",
                evidence=evidence,
                location=_first_difference(subject, fed),
            )
    return None


def _first_difference(subject: Subject, fed: Sequence[Tensor]) -> Location | None:
    """Where the two calls part: the first operation with another result than it has for contiguous inputs."""
    plain = [tensor.contiguous().clone() for tensor in fed]
    with torch.no_grad(), seeded(0):
        one, two = (trace(partial(subject.call, subject.build(), given), keep_values=True) for given in (plain, fed))
    for before, after in zip(one, two, strict=False):
        if before.name != after.name:
            return after.location
        if not all(
            a.shape == b.shape and torch.allclose(a, b) for a, b in zip(before.values, after.values, strict=True)
        ):
            return after.location
    return None
