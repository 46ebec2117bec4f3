"""Layers and norms are zipped, and with one norm fewer than layers the last layer never runs."""

from torch import Tensor, nn

CAUGHT_BY = "unused-parameter"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}
    norm_count = 2

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 6) for _ in range(3)])
        self.norms = nn.ModuleList([nn.LayerNorm(6) for _ in range(self.norm_count)])

    def forward(self, x: Tensor) -> Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=False):
            x = x + layer(norm(x)).tanh()
        return x


class Right(Wrong):
    norm_count = 3
