"""host-sync: forward does not make the host wait for values that the device computes."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from verifykit.checks.registry import check
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

SYNCHRONISES = {
    "item": ".item()",
    "tolist": ".tolist()",
    "numpy": ".numpy()",
    "cpu": ".cpu()",
    "__array__": "a conversion to a NumPy array",
    "__float__": "float() of a tensor",
    "__int__": "int() of a tensor",
    "__index__": "a tensor used as an index or a size",
    "__bool__": "a tensor used as a condition",
    "__contains__": "`in` on a tensor",
    "__repr__": "printing a tensor",
    "__format__": "formatting a tensor",
    "is_nonzero": "a tensor used as a condition",
    "equal": "torch.equal",
    "allclose": "torch.allclose",
    "nonzero": "nonzero (the size of its output follows the values)",
    "argwhere": "argwhere (the size of its output follows the values)",
    "masked_select": "masked_select (the size of its output follows the values)",
    "bincount": "bincount (the size of its output follows the values)",
    "arange": "a tensor as the bound of a range",
    "linspace": "a tensor as the bound of a range",
    "unique": "unique (the size of its output follows the values)",
    "unique_consecutive": "unique_consecutive (the size of its output follows the values)",
}


@check("host-sync", family="smells", severity="warning")
def host_sync(subject: Subject) -> Iterator[Finding | Verified]:
    """Forward never waits for a value that the device computes, as .item() and conditions on tensors do.

    What:
        Follows forward in eval and in training mode and names each line that needs a value, computed from the inputs or
        parameters, on the host: .item(), float(), a condition on a tensor, boolean indexing, nonzero, unique.

    Why it matters:
        On a GPU each of them empties the queue of kernels; torch.compile breaks its graph there, CUDA graphs and export
        refuse it.

    Wrong:
        def forward(self, x):
            if x.abs().max() > 1:
                x = x / x.abs().max()
            return x

    Right:
        def forward(self, x):
            return x / x.abs().max().clamp(min=1)

    When to ignore:
        When the module runs on the CPU only, or the result's size must follow the values.
    """
    steps = 0
    found: dict[Location | None, tuple[str, str]] = {}
    for training in (False, True):
        module, inputs = subject.build(training=training), subject.draw()
        data = [*inputs, *module.parameters(), *module.buffers()]
        taken = trace(partial(outputs_of, subject, module, inputs))
        steps += len(taken)
        for step, what in _syncs(taken, data):
            found.setdefault(step.location or subject.forward_location, (what, "training" if training else "eval"))
    if found:
        (location, (what, mode)), *others = found.items()
        more = f"; {len(others)} more line{'s' if len(others) > 1 else ''} wait too" if others else ""
        yield Finding(
            f"{what} makes the host wait for the device in {mode} mode{more}",
            None,
            {str(line): call for line, (call, _) in found.items()},
            location,
        )
    yield Verified("no call that waits for a value of the inputs or parameters", steps)


def _syncs(steps: Sequence[Step], data: Sequence[Tensor]) -> Iterator[tuple[Step, str]]:
    """The steps that need values, among those that depend on ``data``."""
    tainted = {id(tensor) for tensor in data}
    for step in steps:
        if not tainted & {id(t) for t in step.inputs}:
            continue
        name = step.name.rpartition(".")[2]
        what = SYNCHRONISES.get(name)
        if what is None and name in ("__getitem__", "__setitem__") and _selects(step, tainted):
            what = "indexing with a boolean tensor"
        if what is None and step.name == "torch.where" and _lists_places(step):
            what = "where with one argument (the size of its output follows the values)"
        if what is not None:
            yield step, what
        tainted |= {id(t) for t in step.outputs}
        if name == "__setitem__":
            tainted.add(id(step.inputs[0]))


def _lists_places(step: Step) -> bool:
    """Whether ``where`` was called with a condition alone: it gives the indices along each dimension."""
    condition = step.inputs[0]
    flat = all(t.dtype is torch.long and t.ndim == 1 for t in step.outputs)
    return len(step.inputs) == 1 and flat and (condition.ndim > 1 or step.outputs[0].shape != condition.shape)


def _selects(step: Step, tainted: set[int]) -> bool:
    """Whether a boolean tensor picks elements. One number assigned to them needs no waiting."""
    masks = [t for t in step.inputs[1:] if t.dtype in (torch.bool, torch.uint8) and t.ndim and id(t) in tainted]
    if step.name.endswith("__setitem__"):
        return bool(masks) and step.inputs[-1] is not masks[-1] and step.inputs[-1].ndim > 0
    return bool(masks)
