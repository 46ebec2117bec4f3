"""Sample weights of a curriculum are indexed by the place in the batch."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-permutation"


class Wrong(nn.Module):
    """Gives a weighted error for each sequence of a batch; ``difficulty`` holds one number for each."""

    __verifykit__ = {
        "inputs": {"prediction": "float[N, L]", "target": "float[N, L]", "difficulty": "float[N] in (0, 1)"}
    }

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5))

    def weights(self, difficulty: Tensor) -> Tensor:
        rank = torch.arange(len(difficulty)) / len(difficulty)
        return (-self.slope * rank).exp()

    def forward(self, prediction: Tensor, target: Tensor, difficulty: Tensor) -> Tensor:
        error = (prediction - target).square().mean(dim=1)
        return error * self.weights(difficulty)


class Right(Wrong):
    def weights(self, difficulty: Tensor) -> Tensor:
        return (-self.slope * difficulty).exp()
