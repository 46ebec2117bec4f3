"""A running scale is updated in forward and then divided by, so a second forward divides by another scale."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 4)
        self.register_buffer("scale", torch.ones(4))

    def update(self, hidden: Tensor) -> None:
        self.scale = 0.9 * self.scale + 0.1 * hidden.detach().abs().amax(0)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.linear(x)
        if self.training:
            self.update(hidden)
        return torch.tanh(hidden / self.scale)


class Right(Wrong):
    """The batch is divided by the scale of the batches before it; what is stored afterwards is a maximum."""

    def update(self, hidden: Tensor) -> None:
        pass
