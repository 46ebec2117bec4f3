"""A function of one leaf, evaluated for many values at once through ``torch.func.vmap`` where that allows it."""

import warnings

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from verifykit.gradients.function import Function, Linearization, real


class Batched:
    """A map from a batch of values of one leaf to as many rows of all outputs, everything as reals."""

    def __init__(self, function: Function, linear: Linearization, leaf: int) -> None:
        self._function = function
        self._point = [other.detach() for other in linear.leaves]
        self._leaf = leaf
        self._together: bool | None = None
        self.start = real(self._point[leaf])

    def __call__(self, batch: Tensor) -> Tensor:
        rows = None
        if self._together is None:
            rows = self._tried(batch.clone())
            self._together = rows is not None
        elif self._together:
            rows = self._vmapped(batch)
        return torch.stack([self._one(values.clone()) for values in batch]) if rows is None else rows

    def works(self) -> bool:
        """Whether the function can be evaluated as a batch."""
        return self._tried(self.start[None].clone()) is not None

    def _one(self, values: Tensor) -> Tensor:
        moved = list(self._point)
        moved[self._leaf] = torch.view_as_complex(values) if moved[self._leaf].is_complex() else values
        return torch.cat([real(output).flatten() for output in self._function(moved)])

    def _vmapped(self, batch: Tensor) -> Tensor:
        # The fused attention of CPUs has no rule for batches and would be looped over.
        with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # vmap warns of operators that it loops over
            rows: Tensor = torch.func.vmap(self._one, randomness="same")(batch)
        return rows

    def _tried(self, batch: Tensor) -> Tensor | None:
        """Nothing where vmap refuses (data-dependent control flow, in-place writes, an operator or a ``Function``
        without a rule), where the function writes to its input, or where it yields other values than it does alone.
        """
        version, first = batch._version, batch[0].clone()
        try:
            rows = self._vmapped(batch)
        except Exception:
            return None
        alone = self._one(first)
        if batch._version != version or rows.shape[1:] != alone.shape:
            return None
        return rows if torch.allclose(rows[0], alone, rtol=1e-12, atol=1e-12) else None
