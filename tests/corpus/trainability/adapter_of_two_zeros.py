"""Both factors of a low-rank adapter start at zero, so neither ever has a gradient."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "overfit"


class Wrong(nn.Module):
    """A frozen layer with a trainable low-rank correction."""

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(6, 4).requires_grad_(False)
        self.down = nn.Parameter(torch.zeros(6, 2))
        self.up = nn.Parameter(torch.zeros(2, 4))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.down)
        nn.init.zeros_(self.up)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.down @ self.up


class Right(Wrong):
    def reset_parameters(self) -> None:
        nn.init.kaiming_uniform_(self.down)
        nn.init.zeros_(self.up)
