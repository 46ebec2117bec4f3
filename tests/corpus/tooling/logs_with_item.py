"""A loss keeps its last value for the log by item(), in the middle of the graph."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "compile"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"logits": "float[N, 4]", "target": "long[N] in below 4"}}

    def __init__(self) -> None:
        super().__init__()
        self.last: Tensor | float = 0.0

    def keep(self, loss: Tensor) -> None:
        self.last = loss.detach().cpu().numpy().item()

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, target)
        self.keep(loss)
        return loss + 0.01 * logits.logsumexp(-1).square().mean()


class Right(Wrong):
    def keep(self, loss: Tensor) -> None:
        pass
