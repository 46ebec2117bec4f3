"""Both layers of a classifier start at one constant, so all hidden units learn the same."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "initialisation"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.score = nn.Linear(6, 8), nn.Linear(8, 3)
        self.apply(self.start)

    def start(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.constant_(module.weight, 0.01)
            nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(torch.tanh(self.hidden(x))).log_softmax(-1)


class Right(Wrong):
    def start(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)
