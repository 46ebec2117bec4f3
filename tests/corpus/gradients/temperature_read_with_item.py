"""The learnt temperature of a contrastive loss is read with item(), so it is never learnt."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "graph-cut"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"image": "float[N, 5]", "text": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def scale(self) -> Tensor | float:
        return self.log_scale.exp().item()

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        logits = self.scale() * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
        pairs = torch.arange(len(logits))
        return (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2


class Right(Wrong):
    def scale(self) -> Tensor | float:
        return self.log_scale.exp()
