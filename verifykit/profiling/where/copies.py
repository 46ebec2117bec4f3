"""Copies that forward makes, and changes of layout or type."""

from typing import Any

from verifykit.profiling.step import TrainingStep
from verifykit.results import Location
from verifykit.results.cost import Copied
from verifykit.tracing import OperatorMode, user_line

# What clone, contiguous, reshape, to, type and assignments to elements come down to where they are no views.
COPIES = ("aten::clone", "aten::_to_copy", "aten::copy_")


def copies_of(step: TrainingStep) -> tuple[list[Copied], int]:
    """Return the copies that one forward makes, by line, the largest first, and how many operators it dispatches."""
    step.prepare()
    step.feed()
    with _Dispatched() as dispatched:
        step.forward()
    step.drop()
    found = [
        Copied(operator, location, size, calls) for (operator, location), (size, calls) in dispatched.copies.items()
    ]
    return sorted(found, key=lambda copied: -copied.bytes), dispatched.operators


class _Dispatched(OperatorMode):
    def __init__(self) -> None:
        super().__init__()
        self.operators = 0
        self.copies: dict[tuple[str, Location | None], tuple[int, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operators += 1
        if func._schema.name in COPIES:
            key = func._schema.name, user_line()
            size, calls = self.copies.get(key, (0, 0))
            self.copies[key] = size + result.numel() * result.element_size(), calls + 1
        return result
