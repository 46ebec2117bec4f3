"""An empty batch is padded to one sample so that the layers below do not complain, and the sample stays."""

from torch import Tensor, nn

CAUGHT_BY = "empty-batch"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 4, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[0]
        if count == 0:
            x = x.new_zeros(1, *x.shape[1:])
        out = self.conv(x).amax(-1)
        return self.cut(out, count)

    def cut(self, out: Tensor, count: int) -> Tensor:
        return out


class Right(Wrong):
    def cut(self, out: Tensor, count: int) -> Tensor:
        return out[:count]
