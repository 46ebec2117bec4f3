"""A length goes through seconds and back, and floating point makes one of 29 frames disappear."""

from torch import Tensor, nn

CAUGHT_BY = "shape-contract"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"mel": "float[N, 4, T]"}}
    rate = 100

    def __init__(self) -> None:
        super().__init__()
        self.smooth = nn.Conv1d(4, 4, 3, padding=1)

    def frames(self, mel: Tensor) -> int:
        seconds = mel.shape[-1] / self.rate
        return int(seconds * self.rate)

    def forward(self, mel: Tensor) -> Tensor:
        out: Tensor = self.smooth(mel)
        return out[..., : self.frames(mel)]


class Right(Wrong):
    def frames(self, mel: Tensor) -> int:
        return mel.shape[-1]
