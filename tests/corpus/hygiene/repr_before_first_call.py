"""The representation shows a size that only the first call knows."""

from torch import Tensor, nn

CAUGHT_BY = "repr"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, C, L]"}}

    def forward(self, x: Tensor) -> Tensor:
        self.channels = x.shape[1]
        return x - x.mean(-1, keepdim=True)

    def extra_repr(self) -> str:
        return f"channels={self.channels}"


class Right(Wrong):
    channels = 0
