"""Weights (N,) multiply losses (N, 1), so that every weight meets every sample."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "loss-ignore"


class Wrong(nn.Module):
    """Charbonnier loss with a weight for each sample."""

    __verifykit__ = {
        "inputs": {"prediction": "float[N, 1]", "target": "float[N, 1]", "sample_weight": "float[N] in (0, 2)"}
    }

    def forward(self, prediction: Tensor, target: Tensor, sample_weight: Tensor) -> Tensor:
        if prediction.shape != target.shape:
            raise ValueError(f"prediction {tuple(prediction.shape)} against target {tuple(target.shape)}")
        loss = torch.sqrt((prediction - target) ** 2 + 1e-6)
        return (loss * sample_weight).sum() / sample_weight.sum()


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor, sample_weight: Tensor) -> Tensor:
        return super().forward(prediction, target, sample_weight[:, None])
