"""The graph that autograd keeps."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor


def nodes_of(outputs: Iterable[Tensor]) -> Iterator[Any]:
    """Yield the nodes of the graph behind ``outputs``, each once."""
    pending, seen = [t.grad_fn for t in outputs], set[Any]()
    while pending:
        node = pending.pop()
        if node is not None and node not in seen:
            seen.add(node)
            pending.extend(parent for parent, _ in node.next_functions)
            yield node


def sequence_number() -> int:
    """Return a number that is less than those of all nodes made from now on."""
    return int(torch._C._autograd._get_sequence_nr())


def leads_back(outputs: Iterable[Tensor], began: int) -> bool:
    """Return whether the graph behind ``outputs`` has nodes that were made before ``began``, a sequence number: a
    backward that frees them could not be repeated.
    """
    return any(node._sequence_nr() < began for node in nodes_of(outputs))


def is_custom(node: Any) -> bool:
    """Whether it is that of a ``torch.autograd.Function`` written in Python."""
    return hasattr(node, "_forward_cls")
