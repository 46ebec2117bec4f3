"""A loss takes the first sample of the batch as the anchor of all others."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "batch-permutation"


class Wrong(nn.Module):
    """Pulls the embeddings of a batch together."""

    __verifykit__ = {"inputs": {"embeddings": "float[N, D]", "weights": "float[N] in (0, 1)"}}

    def anchor(self, embeddings: Tensor) -> Tensor:
        return embeddings[0]

    def forward(self, embeddings: Tensor, weights: Tensor) -> Tensor:
        distances = torch.linalg.vector_norm(embeddings - self.anchor(embeddings) + 1e-6, dim=-1)
        return (weights * distances).sum() / weights.sum()


class Right(Wrong):
    def anchor(self, embeddings: Tensor) -> Tensor:
        return embeddings.mean(dim=0)
