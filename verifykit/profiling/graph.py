"""The graph that autograd keeps."""

from collections.abc import Iterable, Iterator
from typing import Any

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


def is_custom(node: Any) -> bool:
    """Whether it is that of a ``torch.autograd.Function`` written in Python."""
    return hasattr(node, "_forward_cls")
