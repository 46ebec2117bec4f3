"""train() switches gradients on for what eval() switched off, and undoes the user's freezing."""

from torch import Tensor, nn

CAUGHT_BY = "freeze"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[L, N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 5)
        self.head = nn.Linear(5, 2)

    def train(self, mode: bool = True) -> "Wrong":
        for parameter in self.parameters():
            parameter.requires_grad = mode
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][-1])


class Right(Wrong):
    train = nn.Module.train
