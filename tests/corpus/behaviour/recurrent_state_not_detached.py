"""A recurrent critic starts each training batch from the last state without detaching it."""

from torch import Tensor, nn

CAUGHT_BY = "state-leak"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[5, L, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(4, 3)
        self.state: Tensor | None = None

    def begin(self, x: Tensor) -> Tensor:
        if self.training and self.state is not None:
            return self.state
        return x.new_zeros(x.shape[0], 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.begin(x)
        for step in x.unbind(1):
            hidden = self.cell(step, hidden)
        self.state = hidden
        return hidden


class Right(Wrong):
    def begin(self, x: Tensor) -> Tensor:
        return super().begin(x).detach()

    def forward(self, x: Tensor) -> Tensor:
        hidden = super().forward(x)
        self.state = hidden.detach()
        return hidden
