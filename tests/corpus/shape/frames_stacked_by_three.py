"""Audio frames are stacked by three, and the last ones of an utterance are thrown away."""

import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "odd-sizes"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"frames": "float[N, T, 5]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.GRU(15, 6, batch_first=True)

    def stacked(self, frames: Tensor) -> Tensor:
        count = frames.shape[1] // 3
        return frames[:, : 3 * count].reshape(frames.shape[0], count, 15)

    def forward(self, frames: Tensor) -> Tensor:
        states, _ = self.encode(self.stacked(frames))
        last: Tensor = states[:, -1]
        return last


class Right(Wrong):
    def stacked(self, frames: Tensor) -> Tensor:
        padded = F.pad(frames, (0, 0, 0, -frames.shape[1] % 3))
        return padded.reshape(frames.shape[0], -1, 15)
