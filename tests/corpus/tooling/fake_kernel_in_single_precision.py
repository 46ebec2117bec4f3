"""The fake kernel of a counting operator always predicts float32, whatever comes in."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "opcheck"


def histogram(x: Tensor, bins: int) -> Tensor:
    places = (x.sigmoid() * bins).long().clamp(max=bins - 1)
    return torch.zeros(len(x), bins, dtype=x.dtype).scatter_add(1, places, torch.ones_like(x))


wrong = torch.library.custom_op("planted::histogram", histogram, mutates_args=())
wrong.register_fake(lambda x, bins: torch.empty(x.shape[0], bins))
right = torch.library.custom_op("planted::histogram_typed", histogram, mutates_args=())
right.register_fake(lambda x, bins: x.new_empty(x.shape[0], bins))


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, L]"}}

    def histogram(self, x: Tensor) -> Tensor:
        return wrong(x, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.histogram(x.detach()) / x.shape[1]


class Right(Wrong):
    def histogram(self, x: Tensor) -> Tensor:
        return right(x, 4)
