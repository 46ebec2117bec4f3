"""Telling a module that refuses its inputs in its own words from one that breaks on them."""

import dis
from collections.abc import Mapping

import torch

from verifykit.errors import one_line
from verifykit.spec.building import raised_at

_TORCH = torch.__file__.rpartition("__init__")[0]


def is_own_words(error: BaseException) -> bool:
    """Whether the module's code says no by a ``raise`` or an ``assert`` of its own, rather than breaking in some
    operation that cannot do what it is asked.
    """
    frame = error.__traceback__
    if frame is None:
        return False
    while frame.tb_next is not None:
        frame = frame.tb_next
    code = frame.tb_frame.f_code
    if code.co_filename.startswith((_TORCH, "<")):
        return False
    return dis.opname[code.co_code[frame.tb_lasti]] == "RAISE_VARARGS"


def complaint(error: BaseException) -> str:
    """Return how the module raises: `` at file:line: message``, to stand behind a verb."""
    return f"{raised_at(error)}: {one_line(error)}"


def at(sizes: Mapping[str, int]) -> str:
    """Return ``sizes`` as people write them: ``N = 1, L = 7``."""
    return ", ".join(f"{symbol} = {size}" for symbol, size in sizes.items())
