"""The distances of a triplet loss are subtracted the wrong way round."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-sign"


class Wrong(nn.Module):
    """Triplet loss with a soft margin."""

    __verifykit__ = {"inputs": {"anchor": "float[N, 6]", "positive": "float[N, 6]", "negative": "float[N, 6]"}}

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        near, far = (anchor - positive).square().sum(-1), (anchor - negative).square().sum(-1)
        return F.softplus(far - near).mean()


class Right(Wrong):
    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        near, far = (anchor - positive).square().sum(-1), (anchor - negative).square().sum(-1)
        return F.softplus(near - far).mean()
