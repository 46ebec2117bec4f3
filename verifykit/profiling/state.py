"""Leaves a module as it was, whatever happened to it in between."""

import copy
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_DEEPEST = 4
_CONTAINERS = (dict, list, set, deque)


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Run the body, then put back the attributes of ``module`` and of its parts, what their lists, dictionaries and
    plain objects hold, and the values of parameters and buffers. What stands outside the module is not looked after.
    """
    values = [(t, t._version, t.detach().clone()) for t in (*module.parameters(), *module.buffers())]
    contents = [(holder, copy.copy(holder)) for holder in holders(module)]
    try:
        yield
    finally:
        for holder, content in contents:
            _put_back(holder, content)
        with torch.no_grad():
            for tensor, version, value in values:
                if tensor._version != version:
                    tensor.copy_(value)


def holders(module: nn.Module) -> list[Any]:
    """Return what holds the state of ``module``: the attributes of its parts and of plain objects in them, lists,
    dictionaries, sets and deques, however nested up to a depth.
    """
    found: dict[int, Any] = {}
    for part in module.modules():
        _find(vars(part), found, 0)
    return list(found.values())


def _find(value: Any, found: dict[int, Any], depth: int) -> None:
    if id(value) in found or depth > _DEEPEST:
        return
    if isinstance(value, _CONTAINERS):
        found[id(value)] = value
        for item in list(value.values() if isinstance(value, dict) else value):
            _find(item, found, depth + 1)
    elif isinstance(value, tuple):
        for item in value:
            _find(item, found, depth + 1)
    elif _is_plain(value):
        _find(vars(value), found, depth + 1)


def _is_plain(value: Any) -> bool:
    if isinstance(value, nn.Module | Tensor | type) or not isinstance(getattr(value, "__dict__", None), dict):
        return False
    return type(value).__module__.partition(".")[0] not in ("builtins", "torch", "types", "functools")


def _put_back(holder: Any, content: Any) -> None:
    if isinstance(holder, dict):
        if holder.keys() != content.keys() or any(holder[key] is not content[key] for key in content):
            holder.clear()
            holder.update(content)
    elif isinstance(holder, set):
        holder.clear()
        holder.update(content)
    else:
        holder.clear()
        holder.extend(content)
