"""The representation draws an example input, so results depend on whether the module was printed."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "repr"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Linear(4, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.sin(self.embed(x)))

    def example(self) -> Tensor:
        return torch.randn(1, 4)

    def extra_repr(self) -> str:
        with torch.no_grad():
            return f"output range near {float(self(self.example().to(self.out.weight)).abs()):.1f}"


class Right(Wrong):
    def example(self) -> Tensor:
        return torch.ones(1, 4)
