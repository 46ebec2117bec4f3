"""A mixture of experts gathers its tokens by a product with zeros and ones, and 0 times NaN spoils all of them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "nan-propagation"


class Wrong(nn.Module):
    """Reverses the order of samples within an expert's buffer and back, as capacity-based routing does."""

    __verifykit__ = {"inputs": {"tokens": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.expert = nn.Linear(4, 4)

    def slots(self, tokens: Tensor) -> Tensor:
        return torch.arange(len(tokens)).flip(0)

    def forward(self, tokens: Tensor) -> Tensor:
        dispatch = F.one_hot(self.slots(tokens), len(tokens)).to(tokens.dtype)
        return dispatch.T @ self.expert(dispatch @ tokens)


class Right(Wrong):
    def forward(self, tokens: Tensor) -> Tensor:
        slots = self.slots(tokens)
        return self.expert(tokens[slots])[slots.argsort()]
