"""A guard against NaN writes into its input, which one that was expanded does not allow."""

from torch import Tensor, nn

CAUGHT_BY = "memory-layout"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"context": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.film = nn.Linear(6, 4)

    def clean(self, context: Tensor) -> Tensor:
        return context.nan_to_num_(0.0)

    def forward(self, context: Tensor) -> Tensor:
        scale, shift = self.film(self.clean(context)).chunk(2, -1)
        out: Tensor = scale.exp() + shift
        return out


class Right(Wrong):
    def clean(self, context: Tensor) -> Tensor:
        return context.nan_to_num(0.0)
