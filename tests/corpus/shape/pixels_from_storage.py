"""Pixels are taken from the storage as if planes followed one another, which channels-last images do not."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


class Wrong(nn.Module):
    """Mean and deviation of each colour plane."""

    __verifykit__ = {"inputs": {"image": "float[N, 3, H, W] in [0, 1]"}}

    def planes(self, image: Tensor) -> Tensor:
        n, c, h, w = image.shape
        flat = image.new_empty(0).set_(image.untyped_storage())  # type: ignore[call-overload]
        return flat[: image.numel()].reshape(n, c, h * w)

    def forward(self, image: Tensor) -> Tensor:
        planes = self.planes(image)
        return torch.stack([planes.mean(-1), planes.std(-1, correction=0)], -1)


class Right(Wrong):
    def planes(self, image: Tensor) -> Tensor:
        return image.flatten(2)
