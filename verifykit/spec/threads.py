"""How many threads torch uses: one for small work, which several make slower."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Elements of all tensors together above which several threads pay.
LARGE = 1_000_000


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Run the body on one thread where there are at most a million ``elements``; restore the setting after."""
    before = torch.get_num_threads()
    if elements <= LARGE:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
