"""A cosine similarity is returned where its complement is meant."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "loss-sign"


class Wrong(nn.Module):
    """Cosine loss of predicted and target embeddings."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 6]", "target": "float[N, 6]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.cosine_similarity(prediction, target, dim=-1).mean()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return 1 - super().forward(prediction, target)
