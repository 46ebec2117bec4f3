"""Weights are initialised after the embedding has zeroed its padding row, which is random from then on."""

from torch import Tensor, nn

CAUGHT_BY = "integer-range"


class Wrong(nn.Module):
    """Bag of words."""

    __verifykit__ = {"inputs": {"tokens": "long[N, T] in below 9"}}

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 4, padding_idx=0)
        self.head = nn.Linear(4, 3)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.xavier_uniform_(self.head.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.words(tokens).sum(1))


class Right(Wrong):
    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.words.weight[self.words.padding_idx].data)
