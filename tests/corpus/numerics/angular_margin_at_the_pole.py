"""An angular margin takes acos of a cosine that rounding puts at 1 or beyond: a matched pair has no gradient."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Squared angle between two directions."""

    __verifykit__ = {"inputs": {"a": "float[N, 4]", "b": "float[N, 4]"}}

    margin = 0.0

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        cosine = F.cosine_similarity(a, b, dim=-1)
        return cosine.clamp(-1 + self.margin, 1 - self.margin).acos().square()


class Right(Wrong):
    margin = 1e-6
