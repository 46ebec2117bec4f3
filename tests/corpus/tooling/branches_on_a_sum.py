"""A gate looks at the data with an if, which breaks the graph in two."""

from torch import Tensor, nn

CAUGHT_BY = "compile"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def rescale(self, x: Tensor) -> Tensor:
        energy = x.square().mean()
        if energy > 1:
            x = x / energy.sqrt()
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.rescale(self.conv(x)).relu()


class Right(Wrong):
    def rescale(self, x: Tensor) -> Tensor:
        return x / x.square().mean().clamp(min=1).sqrt()
