"""A prompt kept as a plain tensor wants gradients although every parameter is frozen."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "registration"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.prompt = torch.zeros(1, 2, 4, requires_grad=True)
        self.mixer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        prompt = self.prompt.to(x.dtype).expand(x.shape[0], -1, -1)
        return self.mixer(torch.cat([prompt, x], 1))


class Right(Wrong):
    def __init__(self) -> None:
        super().__init__()
        self.prompt = nn.Parameter(torch.zeros(1, 2, 4))
