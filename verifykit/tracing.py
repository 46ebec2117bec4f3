"""Follows a call operation by operation, so that a finding can name the line of the user's code that is to blame."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from verifykit.results import Location
from verifykit.targets import display_path

_OURS = str(Path(__file__).parent)
_TORCH = str(Path(torch.__file__).parent)


@dataclass(frozen=True)
class Step:
    """One call of a torch function: its name, the user's line that led to it, and the tensors in and out.

    ``values`` are copies of the outputs as they were right after the call, if they were asked for; ``grad_enabled`` is
    whether autograd recorded.
    """

    name: str
    location: Location | None
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    values: tuple[Tensor, ...] = ()
    grad_enabled: bool = True

    @property
    def takes_shape_only(self) -> bool:
        """Whether it makes a tensor like another, whatever the values of that."""
        name = self.name.rpartition(".")[2]
        return name.endswith("_like") or name.startswith("new_")

    @property
    def leaves_torch(self) -> bool:
        """Whether it makes Python or NumPy numbers of tensors."""
        return self.name.rpartition(".")[2] in ("item", "tolist", "numpy", "__array__", "__float__")


class OperatorMode(TorchDispatchMode):
    """A dispatch mode that does not import the whole compiler, which takes a second, when the first operator is called
    in it: torch wraps others so that torch.compile leaves them alone, and nothing of ours is compiled.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class _Recorder(TorchFunctionMode):
    def __init__(self, keep_values: bool) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.keep_values = keep_values

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        outputs = tuple(_tensors(result))
        values = tuple(t.detach().clone() for t in outputs) if self.keep_values else ()
        name = resolve_name(func) or getattr(func, "__name__", "?")
        self.steps.append(
            Step(name, user_line(), tuple(_tensors((args, kwargs))), outputs, values, torch.is_grad_enabled())
        )
        return result


def trace(call: Callable[[], Any], *, keep_values: bool = False) -> list[Step]:
    """Run ``call`` and return the torch functions that it called, outermost ones only, in order.

    Whatever ``call`` raises ends the trace and is not passed on: the steps so far are what is wanted then.
    """
    recorder = _Recorder(keep_values)
    try:
        with recorder:
            call()
    except Exception:
        return recorder.steps
    return recorder.steps


def where_gradient_stops(call: Callable[[], Any], leaf: Tensor) -> Step | None:
    """Return the first step at which something that depends on ``leaf`` loses its gradient: ``detach``, ``.data``,
    ``.item()``, a ``no_grad`` block. ``None`` where there is no such step.
    """
    tainted = {id(leaf)}
    alive = [leaf]  # ids stay unique while their tensors live
    for step in trace(call):
        if not tainted & {id(t) for t in step.inputs} or step.takes_shape_only:
            continue
        carries = any(t.requires_grad for t in step.inputs if id(t) in tainted)
        differentiable = [t for t in step.outputs if t.is_floating_point() or t.is_complex()]
        if carries and (step.leaves_torch or (differentiable and not any(t.requires_grad for t in differentiable))):
            return step
        tainted |= {id(t) for t in step.outputs}
        alive += step.outputs
    return None


def custom_functions(outputs: Iterable[Tensor], leaf: Tensor) -> Iterator[type[torch.autograd.Function]]:
    """Yield the user-written autograd Functions on the paths from ``outputs`` to ``leaf``, nearest the output first."""
    reaches: dict[Any, bool] = {}

    def leads_to_leaf(node: Any) -> bool:
        if node not in reaches:
            reaches[node] = False
            found = getattr(node, "variable", None) is leaf
            for parent, _ in node.next_functions:
                found = (parent is not None and leads_to_leaf(parent)) or found
            reaches[node] = found
        return reaches[node]

    for output in outputs:
        if output.grad_fn is not None:
            leads_to_leaf(output.grad_fn)
    seen = dict.fromkeys(
        node._forward_cls for node, reached in reversed(reaches.items()) if reached and hasattr(node, "_forward_cls")
    )
    yield from reversed(seen)


def _tensors(value: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor))


def is_torchs(file: str) -> bool:
    """Return whether code in ``file``, a name of a code object's, is torch's own or made at run time."""
    return file.startswith((_TORCH, "<"))


def user_line() -> Location | None:
    """Return the innermost frame outside torch that led to the caller of this, a mode; ``None`` where that is our own
    harness.
    """
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_OURS):
            return None
        if not is_torchs(file):
            return Location(display_path(file), frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None
