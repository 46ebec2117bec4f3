"""FLOPs by ``torch.utils.flop_counter``, and what it has no formula for."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from verifykit.profiling.workload import Workload
from verifykit.results.performance import OperatorCost, Uncounted, Work
from verifykit.spec.subject import named_tensors

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


class _Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: dict[Any, None] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(isinstance(leaf, Tensor) for leaf in tree_leaves((args, kwargs))):
            self.operators[func] = None
        return func(*args, **(kwargs or {}))


def count_work(load: Workload, operators: Sequence[OperatorCost]) -> Work:
    """Count the FLOPs of forward and backward, and the bytes that forward must move.

    ``operators`` are what both cost, for the share of the time of those that compute and have no formula.
    """
    forward_flops, forward_seen, result = _counted(load.forward)
    outputs = load.outputs(result)
    backward_flops, backward_seen, _ = _counted(load.vjp(outputs)) if load.differentiable else (None, {}, None)
    total = sum(cost.self_cpu for cost in operators) or 1.0
    times = {cost.name: cost.self_cpu for cost in operators}
    missing = dict.fromkeys(
        operator._schema.name
        for operator in {**forward_seen, **backward_seen}
        if operator._overloadpacket not in flop_registry
        and not operator.is_view
        and operator._schema.name.removeprefix("aten::") not in _MOVES
    )
    uncounted = [Uncounted(name, times.get(name, 0.0) / total) for name in missing]
    moved = [*load.inputs, *load.module.parameters(), *named_tensors(result).values()]
    return Work(
        forward_flops or 0,
        backward_flops,
        sum(t.numel() * t.element_size() for t in moved),
        sorted(uncounted, key=lambda one: -one.share),
    )


def _counted(run: Callable[[], Any]) -> tuple[int | None, dict[Any, None], Any]:
    with FlopCounterMode(display=False) as counter, _Seen() as seen:
        result = run()
    return int(counter.get_total_flops()), seen.operators, result
