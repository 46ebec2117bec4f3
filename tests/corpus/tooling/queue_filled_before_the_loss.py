"""A contrastive queue takes in the batch before the loss is taken, so that a second forward meets other negatives."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "checkpoint"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"query": "float[N, 4]", "key": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 4)
        self.register_buffer("queue", F.normalize(torch.randn(16, 4), dim=-1))

    def negatives(self, key: Tensor) -> Tensor:
        if self.training:
            self.queue = torch.cat([key.detach(), self.queue])[:16]
        return self.queue

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        query = F.normalize(self.head(query), dim=-1)
        logits = torch.cat([(query * key).sum(-1, keepdim=True), query @ self.negatives(key).T], -1)
        return F.cross_entropy(logits / 0.2, torch.zeros(len(query), dtype=torch.long))


class Right(Wrong):
    """Whoever trains it calls ``enqueue`` after the step."""

    def negatives(self, key: Tensor) -> Tensor:
        return self.queue

    @torch.no_grad()
    def enqueue(self, key: Tensor) -> None:
        self.queue = torch.cat([key, self.queue])[:16]
