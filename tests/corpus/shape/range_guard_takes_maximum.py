"""A guard against exploding inputs asks for their greatest value, which an empty batch does not have."""

from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def is_too_large(self, x: Tensor) -> bool:
        return bool(x.abs().max() > 1e4)

    def forward(self, x: Tensor) -> Tensor:
        if self.is_too_large(x):
            raise ValueError("inputs beyond 1e4: were they normalised?")
        out: Tensor = self.linear(x)
        return out


class Right(Wrong):
    def is_too_large(self, x: Tensor) -> bool:
        return bool((x.abs() > 1e4).any())
