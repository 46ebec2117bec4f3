"""Two embeddings are compared with a cosine over the samples."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "batch-independence"


class Wrong(nn.Module):
    """Two towers; gives the first one's embedding, weighted by how well it fits the second, per batch element."""

    __verifykit__ = {"inputs": {"left": "float[B, 6]", "right": "float[B, 6]"}}

    axis = 0

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 4), nn.Linear(6, 4)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        one, other = self.left(left), self.right(right)
        return one * F.cosine_similarity(one, other, dim=self.axis).unsqueeze(self.axis)


class Right(Wrong):
    axis = 1
