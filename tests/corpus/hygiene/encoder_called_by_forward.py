"""The blocks of an encoder are run by their forward, which passes every hook by."""

from torch import Tensor, nn

CAUGHT_BY = "hooks"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 6]"}}

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6), nn.GELU()) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + self.run(block, x)
        return x

    def run(self, block: nn.Module, x: Tensor) -> Tensor:
        return block.forward(x)


class Right(Wrong):
    def run(self, block: nn.Module, x: Tensor) -> Tensor:
        return block(x)
