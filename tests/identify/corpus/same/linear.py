"""Linear maps and look-ups, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class TransposedLinear(nn.Module):
    """Dense layer that keeps its kernel as (in, out), as Keras does."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.kernel + self.bias


class EinsumDense(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.w = nn.Parameter(torch.empty(d_out, d_in))
        self.b = nn.Parameter(torch.zeros(d_out))
        nn.init.xavier_uniform_(self.w)

    def forward(self, x):
        return torch.einsum("...i,oi->...o", x, self.w) + self.b


class FusedBias(nn.Module):
    """The bias is the last column of one matrix."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.theta = nn.Parameter(0.1 * torch.randn(n_out, n_in + 1))

    def forward(self, x: Tensor) -> Tensor:
        ones = torch.ones(*x.shape[:-1], 1, dtype=x.dtype, device=x.device)
        return torch.cat([x, ones], dim=-1) @ self.theta.T


class AddmmLayer(nn.Module):
    def __init__(self, in_dim: int, out_dim: int):
        super().__init__()
        bound = 1 / math.sqrt(in_dim)
        self.weight = nn.Parameter(torch.empty(out_dim, in_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_dim).uniform_(-bound, bound))

    def forward(self, batch: Tensor) -> Tensor:
        return torch.addmm(self.bias, batch, self.weight.t())


class RowByRow(nn.Module):
    """Applies the matrix to one sample after the other."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(outputs, inputs))
        self.shift = nn.Parameter(torch.randn(outputs))

    def forward(self, x):
        return torch.stack([self.matrix.mv(row) + self.shift for row in x])


class NoBiasProjection(nn.Module):
    def __init__(self, dim: int, proj_dim: int) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.randn(proj_dim, dim) / dim**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(-2) * self.p).sum(-1)


class EqualizedLinear(nn.Module):
    """Linear with equalised learning rate, from StyleGAN: the weight is scaled when it is used."""

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        self.gain = 1 / math.sqrt(in_features)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.gain, self.bias)


class TwoHeadsSideBySide(nn.Module):
    def __init__(self, in_features, mean_features, scale_features):
        super().__init__()
        self.mean = nn.Linear(in_features, mean_features)
        self.scale = nn.Linear(in_features, scale_features)

    def forward(self, x):
        return torch.cat([self.mean(x), self.scale(x)], -1)


class Wrapped(nn.Module):
    def __init__(self, hidden_size: int, num_labels: int):
        super().__init__()
        self.classifier = nn.Linear(hidden_size, num_labels)

    def forward(self, hidden_states: Tensor) -> Tensor:
        return self.classifier(hidden_states)


class BilinearForm(nn.Module):
    """y_k = x1^T A_k x2 + b_k"""

    def __init__(self, in1_features: int, in2_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in1_features, in2_features))
        self.bias = nn.Parameter(torch.randn(out_features))

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return torch.einsum("bi,oij,bj->bo", x1, self.weight, x2) + self.bias


class BilinearByOuter(nn.Module):
    def __init__(self, left_dim, right_dim, out_dim):
        super().__init__()
        self.w = nn.Parameter(torch.randn(left_dim * right_dim, out_dim))

    def forward(self, left, right):
        outer = left.unsqueeze(2) * right.unsqueeze(1)
        return outer.flatten(1) @ self.w


class OneHotEmbedding(nn.Module):
    """Embeds by multiplying one-hot vectors with the table."""

    def __init__(self, vocab_size: int, dim: int):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocab_size, dim))

    def forward(self, tokens: Tensor) -> Tensor:
        return F.one_hot(tokens, self.table.shape[0]).to(self.table.dtype) @ self.table


class LookupTable(nn.Module):
    def __init__(self, num_embeddings, embedding_dim):
        super().__init__()
        self.lut = nn.Parameter(torch.empty(num_embeddings, embedding_dim).uniform_(-0.1, 0.1))

    def forward(self, ids):
        return self.lut[ids]


class ScaledEmbedding(nn.Module):
    """Token embedding of the Transformer: multiplied by the square root of the model's width."""

    def __init__(self, vocab_size: int, d_model: int = 8):
        super().__init__()
        self.emb = nn.Embedding(vocab_size, d_model)
        self.d_model = d_model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.emb(tokens) * math.sqrt(self.d_model)


class BagOfWords(nn.Module):
    def __init__(self, num_words: int, dim: int):
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(num_words, dim))

    def forward(self, word_ids: Tensor) -> Tensor:
        return self.vectors[word_ids].mean(dim=1)

    __verifykit__ = {"init": {"num_words": 7, "dim": 4}, "inputs": {"word_ids": "long[N, 5] in below 7"}}


class Passthrough(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


LINEAR = ("torch.nn.Linear", "torch.nn.functional.linear")
EMBEDDING = ("torch.nn.Embedding", "torch.nn.functional.embedding")

EXPECTED = {
    "TransposedLinear": Same(LINEAR, "transposed"),
    "EinsumDense": Same(LINEAR, "initialisation"),
    "FusedBias": Same(LINEAR, "fused|bias"),
    "AddmmLayer": Same(LINEAR),
    "RowByRow": Same(LINEAR, "initialisation"),
    "NoBiasProjection": Same(LINEAR, "initialisation", "bias=False"),
    "EqualizedLinear": Same(LINEAR, "factor|scale|times|·weight"),
    "TwoHeadsSideBySide": Same(LINEAR, "packed|made of|split|concat|joined|stacked|parts"),
    "Wrapped": Same(LINEAR),
    "BilinearForm": Same(("torch.nn.Bilinear", "torch.nn.functional.bilinear"), "initialisation"),
    "BilinearByOuter": Same(("torch.nn.Bilinear", "torch.nn.functional.bilinear"), "transposed|reshape|permut"),
    "OneHotEmbedding": Same(EMBEDDING),
    "LookupTable": Same(EMBEDDING, "initialisation"),
    "ScaledEmbedding": Same(EMBEDDING, "factor|times|scale|·emb"),
    "BagOfWords": Same(("torch.nn.EmbeddingBag", "torch.nn.functional.embedding_bag")),
    "Passthrough": Same(("torch.nn.Identity", "torch.clone")),
}
