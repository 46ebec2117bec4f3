"""FLOPs by ``torch.utils.flop_counter``, and what it has no formula for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from verifykit.profiling.workload import Workload

# Operators that move or make data and compute nothing; views are recognised by themselves.
_MOVES = (
    "clone",
    "copy_",
    "_to_copy",
    "detach",
    "empty_like",
    "zeros_like",
    "ones_like",
    "full_like",
    "fill_",
    "zero_",
)


@dataclass(frozen=True)
class Work:
    """FLOPs, a multiplication and an addition counting one each, of one call."""

    forward: int
    backward: int
    uncounted: list[str]


class _Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: dict[Any, None] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(isinstance(leaf, Tensor) for leaf in tree_leaves((args, kwargs))):
            self.operators[func] = None
        return func(*args, **(kwargs or {}))


def count_flops(load: Workload) -> Work:
    """Count forward and backward; ``uncounted`` names the operators that compute and have no formula, in order."""
    forward_flops, forward_seen, outputs = _counted(load.forward)
    backward_flops, backward_seen, _ = _counted(lambda: load.backward(outputs))
    missing = [
        str(operator._overloadpacket)
        for operator in {**forward_seen, **backward_seen}
        if operator._overloadpacket not in flop_registry
        and not operator.is_view
        and operator._schema.name.removeprefix("aten::") not in _MOVES
    ]
    return Work(forward_flops, backward_flops, list(dict.fromkeys(missing)))


def _counted(run: Callable[[], Any]) -> tuple[int, dict[Any, None], Any]:
    with FlopCounterMode(display=False) as counter, _Seen() as seen:
        result = run()
    return int(counter.get_total_flops()), seen.operators, result
