"""A patch embedding cuts the image to whole patches, and what lies beyond is never seen."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 3, H, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(48, 10)

    def whole(self, image: Tensor) -> Tensor:
        return image[:, :, : image.shape[2] // 4 * 4]

    def forward(self, image: Tensor) -> Tensor:
        patches = self.whole(image).unflatten(3, (2, 4)).unflatten(2, (-1, 4))
        tokens: Tensor = self.embed(patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))
        return tokens.mean(1)


class Right(Wrong):
    def whole(self, image: Tensor) -> Tensor:
        return F.pad(image, (0, 0, 0, -image.shape[2] % 4))
