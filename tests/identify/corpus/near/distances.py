"""Distances, and losses of pairs and triples, with another epsilon, power or sign."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Near

PAIRS = {"inputs": {"x1": "float[N, D]", "x2": "float[N, D]", "y": "float[N] in {-1, 1}"}}


class CosineSimilarity(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-3)

    __verifykit__ = {"inputs": {"a": "float[N, D]", "b": "float[N, D]"}}


def angle_score(u, v):
    """Cosine with epsilon inside both roots."""
    return (u * v).sum(-1) * (u.square().sum(-1) + 1e-4).rsqrt() * (v.square().sum(-1) + 1e-4).rsqrt()


class PairwiseDistance(nn.Module):
    """Euclidean distance of rows, without the root."""

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 - x2 + 1e-6).square().sum(-1)


def all_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances by the binomial formula."""
    return x.square().sum(-1)[:, None] + y.square().sum(-1)[None, :] - 2 * x @ y.T


class TripletMarginLoss(nn.Module):
    """Triplet loss of FaceNet."""

    def __init__(self, margin: float = 1.0):
        super().__init__()
        self.margin = margin

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        near = (anchor - positive).square().sum(1)
        far = (anchor - negative).square().sum(1)
        return F.relu(near - far + self.margin).mean()


class SoftTriplet(nn.Module):
    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.softplus(F.pairwise_distance(anchor, positive) - F.pairwise_distance(anchor, negative)).mean()


class CosineEmbeddingLoss(nn.Module):
    """Negative pairs count with the absolute value of their cosine."""

    def forward(self, x1: Tensor, x2: Tensor, y: Tensor) -> Tensor:
        cos = F.cosine_similarity(x1, x2)
        return torch.where(y > 0, 1 - cos, cos.abs()).mean()

    __verifykit__ = PAIRS


class HingeEmbeddingLoss(nn.Module):
    def forward(self, distance: Tensor, y: Tensor) -> Tensor:
        return torch.where(y == 1, distance, (1.0 - distance).clamp(min=0) ** 2).mean()

    __verifykit__ = {"inputs": {"distance": "float[N]", "y": "float[N] in {-1, 1}"}}


class MarginRanking(nn.Module):
    """The margin is within the product with the sign."""

    def __init__(self, margin: float = 0.5):
        super().__init__()
        self.margin = margin

    def forward(self, first: Tensor, second: Tensor, sign: Tensor) -> Tensor:
        return F.relu(-sign * (first - second + self.margin)).mean()

    __verifykit__ = {
        "inputs": {"first": "float[N]", "second": "float[N]", "sign": "float[N] in {-1, 1}"},
    }


EXPECTED = {
    "CosineSimilarity": Near(("CosineSimilarity", "cosine_similarity"), r"eps|added|0\.001|1e-0?3"),
    "angle_score": Near(("CosineSimilarity", "cosine_similarity"), r"eps|added|inside|root|1e-0?4|0\.0001"),
    "PairwiseDistance": Near(("PairwiseDistance", "pairwise_distance", "MSELoss"), r"root|squar"),
    "all_distances": Near("cdist", r"root|squar"),
    "TripletMarginLoss": Near(("TripletMarginLoss", "triplet_margin_loss", "TripletMarginWithDistanceLoss"), r"squar"),
    "SoftTriplet": Near(
        ("TripletMarginLoss", "triplet_margin_loss", "TripletMarginWithDistanceLoss"), r"soft|hinge|margin|relu"
    ),
    "CosineEmbeddingLoss": Near(("CosineEmbeddingLoss", "cosine_embedding_loss"), r"abs|negative|clamp|margin|below"),
    "HingeEmbeddingLoss": Near(("HingeEmbeddingLoss", "hinge_embedding_loss"), r"squar|power"),
    "MarginRanking": Near(("MarginRankingLoss", "margin_ranking_loss"), r"margin|sign"),
}
