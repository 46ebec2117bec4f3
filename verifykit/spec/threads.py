"""How many threads torch uses: one for small work, which several make slower."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

# Elements of all tensors together above which several threads pay.
LARGE = 1_000_000

_found: ContextVar[int | None] = ContextVar("threads before the outermost block", default=None)


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Run the body on one thread where there are at most a million ``elements``, else on as many as the outermost such
    block found; restore the setting after.
    """
    before = torch.get_num_threads()
    most = _found.get() or before
    token = _found.set(most)
    torch.set_num_threads(1 if elements <= LARGE else most)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _found.reset(token)
