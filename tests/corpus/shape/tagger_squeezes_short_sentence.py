"""A tagger's squeeze takes the time dimension of one-word sentences along with the one that it means."""

from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "long[N, L] in below 20"}}

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 6)
        self.encode = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.score = nn.Linear(10, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.encode(self.embed(tokens))
        scores: Tensor = self.score(states).squeeze()
        return scores


class Right(Wrong):
    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.encode(self.embed(tokens))
        scores: Tensor = self.score(states).squeeze(-1)
        return scores
