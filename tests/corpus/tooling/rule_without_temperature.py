"""A vmap rule is a second implementation, and was not told when the first one got a temperature."""

from typing import Any

import torch
from torch import Tensor, nn

CAUGHT_BY = "vmap"


class Similarity(torch.autograd.Function):
    """Scores against prototypes, ``(N, D) @ (K, D).T / temperature``."""

    @staticmethod
    def forward(x: Tensor, prototypes: Tensor) -> Tensor:
        return x @ prototypes.mT / 0.5

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, Tensor]:
        x, prototypes = ctx.saved_tensors
        return grad_output @ prototypes / 0.5, grad_output.mT @ x / 0.5

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], x: Tensor, prototypes: Tensor) -> tuple[Tensor, int]:
        x = x.movedim(in_dims[0], 0) if in_dims[0] is not None else x[None]
        prototypes = prototypes.movedim(in_dims[1], 0) if in_dims[1] is not None else prototypes
        return x @ prototypes.mT, 0


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(3, 4))

    def scores(self, x: Tensor) -> Tensor:
        return Similarity.apply(x, self.prototypes)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(x).softmax(-1)


class Right(Wrong):
    def scores(self, x: Tensor) -> Tensor:
        return x @ self.prototypes.mT / 0.5
