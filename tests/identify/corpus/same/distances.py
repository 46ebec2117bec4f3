"""Distances and the losses of pairs and triples, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class CosineScore(nn.Module):
    """Cosine of the angle between rows."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        na = a.norm(dim=1, keepdim=True).clamp(min=1e-8)
        nb = b.norm(dim=1, keepdim=True).clamp(min=1e-8)
        return ((a / na) * (b / nb)).sum(1)


def euclidean(x1: Tensor, x2: Tensor) -> Tensor:
    return (x1 - x2 + 1e-6).square().sum(-1).sqrt()


def distance_matrix(x, y):
    """Euclidean distances between all rows of x and all rows of y."""
    return (x[:, None, :] - y[None, :, :]).pow(2).sum(-1).sqrt()


class MyTripletLoss(nn.Module):
    def __init__(self, margin: float = 1.0):
        super().__init__()
        self.margin = margin

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        d_pos = (anchor - positive + 1e-6).norm(dim=1)
        d_neg = (anchor - negative + 1e-6).norm(dim=1)
        return torch.relu(d_pos - d_neg + self.margin).mean()


class PairRanking(nn.Module):
    def __init__(self, margin: float = 0.3):
        super().__init__()
        self.margin = margin

    def forward(self, better: Tensor, worse: Tensor, sign: Tensor) -> Tensor:
        return (self.margin - sign * (better - worse)).clamp(min=0).mean()

    __verifykit__ = {
        "inputs": {"better": "float[N]", "worse": "float[N]", "sign": "float[N] in {-1, 1}"},
    }


class CosinePairLoss(nn.Module):
    """Pulls pairs labelled 1 together, pushes those labelled -1 apart."""

    def forward(self, x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
        # torch adds 1e-12 to each sum of squares
        dot = (x1 * x2).sum(1)
        cos = dot / ((x1.square().sum(1) + 1e-12) * (x2.square().sum(1) + 1e-12)).sqrt()
        return torch.where(y == 1, 1 - cos, cos.clamp(min=0)).mean()

    __verifykit__ = {"inputs": {"x1": "float[N, D]", "x2": "float[N, D]", "y": "float[N] in {-1, 1}"}}


EXPECTED = {
    "CosineScore": Same(("CosineSimilarity", "cosine_similarity")),
    "euclidean": Same(("PairwiseDistance", "pairwise_distance")),
    "distance_matrix": Same("cdist"),
    "MyTripletLoss": Same(("TripletMarginLoss", "triplet_margin_loss", "TripletMarginWithDistanceLoss")),
    "PairRanking": Same(("MarginRankingLoss", "margin_ranking_loss"), "", r"0\.3"),
    "CosinePairLoss": Same(("CosineEmbeddingLoss", "cosine_embedding_loss")),
}
