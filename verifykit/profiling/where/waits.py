"""Where the host waits for values that the device computes."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from verifykit.tracing import Step

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


def waits_in(steps: Sequence[Step], data: Sequence[Tensor]) -> Iterator[tuple[Step, str]]:
    """Yield the steps of forward that need values on the host, among those that depend on ``data``, and in what way."""
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
