"""Hand-written modules that copy, loop and cache for good reason: no advice is due."""

# ruff: noqa: RUF012  # __verifykit__ is written as users write it

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CustomLinear(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 12]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 12))
        self.bias = nn.Parameter(torch.zeros(8))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T + self.bias


class WritesToItsCopy(nn.Module):
    """The clone is written to, and the caller's tensor is not."""

    __verifykit__ = {"inputs": {"x": "float[N, 12]"}}

    def forward(self, x: Tensor) -> Tensor:
        out = x.clone()
        out[:, ::2] = 0
        return out + x


class GivesItsOwn(nn.Module):
    """The caller may write to what comes back."""

    __verifykit__ = {"inputs": {"x": "float[N, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", torch.zeros(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.t().contiguous(), self.last.clone()


class KeepsTheLast(nn.Module):
    """State of a fixed size: a copy, for the caller may write to what was given."""

    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.previous: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        before = self.previous
        self.previous = x.detach().clone()
        return x if before is None or before.shape != x.shape else x - before


class Heads(nn.Module):
    """Attention by the built-in; contiguous, since a view follows."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, 4, 4).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).contiguous().view(batch, length, 16))


class DeepNet(nn.Module):
    """A loop over layers."""

    __verifykit__ = {"inputs": {"x": "float[N, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + F.gelu(layer(x))
        return x


class CachedPositions(nn.Module):
    """A table that is built once, and sliced."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        place = torch.arange(256)[:, None] * torch.rand(8)
        self.register_buffer("table", torch.sin(place), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.shape[1]]


class TwoViews(nn.Module):
    """Dropout twice on one input: each time another mask."""

    __verifykit__ = {"inputs": {"x": "float[N, 24]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(24, 24), nn.Dropout(0.2), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return F.cosine_similarity(self.encoder(x), self.encoder(x))


class Momentum(nn.Module):
    """Running statistics that are changed in place before they are used."""

    __verifykit__ = {"inputs": {"x": "float[N, 10]"}}

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        before = self.mean.clone()
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(0), 0.1)
        return x - before


class SharedEmbedding(nn.Module):
    """Positions by a small arange."""

    __verifykit__ = {"inputs": {"ids": "long[N, L] in below 50"}}

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.places = nn.Embedding(512, 16)
        self.norm = nn.LayerNorm(16)

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        return self.norm(self.tokens(ids) + self.places(places))


class WeightNormalised(nn.Module):
    """From its parameters alone, and rightly at every call."""

    __verifykit__ = {"inputs": {"x": "float[N, 12]"}}

    def __init__(self) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.randn(6, 12))
        self.length = nn.Parameter(torch.ones(6, 1))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.length * self.direction / self.direction.norm(dim=1, keepdim=True)
        return F.linear(x, weight)


class DiceLoss(nn.Module):
    __verifykit__ = {"inputs": {"logits": "float[N, L]", "target": "float[N, L] in (0, 1)"}}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        p = logits.sigmoid()
        overlap = (p * target).sum(-1)
        return (1 - (2 * overlap + 1) / (p.sum(-1) + target.sum(-1) + 1)).mean()


class Tagger(nn.Module):
    """A recurrent layer of torch loops inside, and no line of this can help that."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 8]"}}

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 12, batch_first=True)
        self.head = nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x)
        return self.head(states)


class Block(nn.Module):
    """A transformer block of built-ins."""

    __verifykit__ = {"inputs": {"x": "float[N, L, 16]"}}

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.up, self.down = nn.Linear(16, 64), nn.Linear(64, 16)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class ShuffledChannels(nn.Module):
    """Laid out anew, as the view after it needs."""

    __verifykit__ = {"inputs": {"x": "float[N, 8, L]"}}

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, length = x.shape
        groups = x.view(batch, 2, channels // 2, length).transpose(1, 2).contiguous()
        return groups.view(batch, channels, length)


class Contrast(nn.Module):
    """All pairs are the point of this loss."""

    __verifykit__ = {"inputs": {"a": "float[N, 16]", "b": "float[N, 16]"}}

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        a, b = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
        logits = a @ b.T / 0.1
        return F.cross_entropy(logits, torch.arange(len(a), device=a.device))
