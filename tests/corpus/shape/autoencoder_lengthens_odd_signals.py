"""An autoencoder gives odd signals back one sample longer than it got them."""

from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 2, L]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv1d(2, 4, 3, stride=2, padding=1)
        self.decode = nn.ConvTranspose1d(4, 2, 4, stride=2, padding=1)

    def cut(self, out: Tensor, length: int) -> Tensor:
        return out

    def forward(self, x: Tensor) -> Tensor:
        return self.cut(self.decode(self.encode(x).tanh()), x.shape[-1])


class Right(Wrong):
    def cut(self, out: Tensor, length: int) -> Tensor:
        return out[..., :length]
