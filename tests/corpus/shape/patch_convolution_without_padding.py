"""A convolution with patches for kernels leaves out the columns that fill no patch."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 2, 6, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(2, 5, 3, stride=3)

    def padded(self, image: Tensor) -> Tensor:
        return image

    def forward(self, image: Tensor) -> Tensor:
        tokens: Tensor = self.embed(self.padded(image)).flatten(2).mT
        return tokens.softmax(-1)


class Right(Wrong):
    def padded(self, image: Tensor) -> Tensor:
        return F.pad(image, (0, -image.shape[-1] % 3))
