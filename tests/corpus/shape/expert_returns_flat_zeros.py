"""An expert to whom nothing is routed returns one vector of zeros instead of none."""

from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"tokens": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.up, self.gate, self.down = nn.Linear(6, 12), nn.Linear(6, 12), nn.Linear(12, 6)

    def nothing(self, tokens: Tensor) -> Tensor:
        return tokens.new_zeros(tokens.shape[-1])

    def forward(self, tokens: Tensor) -> Tensor:
        if tokens.shape[0] == 0:
            return self.nothing(tokens)
        out: Tensor = self.down(self.gate(tokens).sigmoid() * self.up(tokens))
        return out


class Right(Wrong):
    def nothing(self, tokens: Tensor) -> Tensor:
        return tokens.new_zeros(0, tokens.shape[-1])
