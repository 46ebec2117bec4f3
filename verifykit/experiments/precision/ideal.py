"""A call in double precision with everything that would round to less taken out of it: what it would give otherwise."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_map

from verifykit.experiments.precision.runs import DOUBLE
from verifykit.spec.sampling import COMPLEX_OF

_LOWER = (torch.float32, torch.float16, torch.bfloat16)
_LOWER_COMPLEX = (torch.complex64, torch.complex32)
_CASTS = ("float", "half", "bfloat16", "type", "to", "type_as")
# What reads the bits of a number rather than its value must keep its type.
_BITWISE = ("view", "frexp", "finfo")


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Run the body under another default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class KeepsDouble(TorchFunctionMode):
    """Lets no tensor of double precision be cast to less; ``constants`` makes tensors in double precision too, whatever
    type was asked for.
    """

    def __init__(self, *, constants: bool) -> None:
        super().__init__()
        self.constants = constants

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = (resolve_name(func) or getattr(func, "__name__", "")).rpartition(".")[2]
        first = args[0] if args else None
        holds_double = isinstance(first, Tensor) and first.dtype in (DOUBLE, COMPLEX_OF[DOUBLE])
        if name in _BITWISE or not (self.constants or holds_double):
            return func(*args, **kwargs)
        if name in _CASTS and isinstance(first, Tensor):
            result = func(*args, **kwargs)
            if not isinstance(result, Tensor) or result.dtype not in (*_LOWER, *_LOWER_COMPLEX):
                return result
            # Where it went is kept, its rounding is not.
            kept = first.to(result.device, COMPLEX_OF[DOUBLE] if result.is_complex() else DOUBLE)
            return kept.clone() if kept is first and result is not first and name != "to" else kept
        args, kwargs = tree_map(_raised, (args, kwargs))
        return func(*args, **kwargs)


def _raised(leaf: Any) -> Any:
    if isinstance(leaf, torch.dtype):
        return DOUBLE if leaf in _LOWER else COMPLEX_OF[DOUBLE] if leaf in _LOWER_COMPLEX else leaf
    return leaf
