"""One module with its inputs and cotangents, ready to be run forward and backward any number of times."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors


class Workload:
    """What is profiled: ``forward()`` returns the outputs, ``backward(outputs)`` their vjp with fixed cotangents for
    every floating-point input and every parameter. Both may be called again on the same graph.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        call: Callable[[nn.Module, Sequence[Any]], Any],
        inputs: Sequence[Tensor],
        seed: int,
    ) -> None:
        self.name = name
        self.module = module
        self._call = call
        self._seed = seed
        self._inputs = [t.requires_grad_(t.is_floating_point() or t.is_complex()) for t in inputs]
        leaves = [*self._inputs, *module.parameters()]
        self._leaves = [t for t in leaves if t.requires_grad]
        self._cotangents: list[Tensor] = []
        self._copied = False

    def prepare(self) -> None:
        """Run once each way, which draws the cotangents; whatever the module raises passes through."""
        with seeded(self._seed):
            outputs = self._first_forward()
            self._cotangents = [torch.randn_like(t) for t in outputs]
            self.backward(outputs)

    @property
    def differentiable(self) -> bool:
        """Whether there is a backward at all."""
        return bool(self._cotangents and self._leaves)

    @property
    def cuda(self) -> bool:
        """Whether any of its tensors is on a CUDA device."""
        return any(t.is_cuda for t in [*self._inputs, *self.module.parameters()])

    def forward(self) -> list[Tensor]:
        """Call the module; return the outputs that a backward can start from."""
        inputs = [t.clone() for t in self._inputs] if self._copied else self._inputs
        return [t for t in named_tensors(self._call(self.module, inputs)).values() if t.requires_grad]

    def backward(self, outputs: list[Tensor]) -> None:
        """Compute the gradients of all leaves, keeping the graph for the next call."""
        if outputs and self._leaves:
            torch.autograd.grad(outputs, self._leaves, self._cotangents, retain_graph=True, allow_unused=True)

    def _first_forward(self) -> list[Tensor]:
        try:
            return self.forward()
        except RuntimeError as error:
            if "leaf Variable" not in str(error):
                raise
            # The module changes its input in place, which autograd forbids on a leaf: from now on, feed a copy.
            self._copied = True
            return self.forward()
