"""An augmentation layer reseeds Python's generator in training, so that every batch is flipped alike."""

import random

from torch import Tensor, nn

CAUGHT_BY = "global-state"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, H, W]"}}

    def __init__(self, seed: int = 7) -> None:
        super().__init__()
        self.seed = seed

    def forward(self, image: Tensor) -> Tensor:
        if not self.training:
            return image
        random.seed(self.seed)
        return image.flip(-1) if random.random() < 0.5 else image


class Right(Wrong):
    def __init__(self, seed: int = 7) -> None:
        super().__init__(seed)
        self.random = random.Random(seed)

    def forward(self, image: Tensor) -> Tensor:
        if not self.training:
            return image
        return image.flip(-1) if self.random.random() < 0.5 else image
