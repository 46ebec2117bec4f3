"""A masked mean divides by the number of valid steps, which is 0 where all are padding."""

from torch import Tensor, nn

CAUGHT_BY = "extremes"


class Wrong(nn.Module):
    """Encodes steps, then averages those that are valid."""

    __verifykit__ = {"inputs": {"steps": "float[N, T, 4]", "mask": "bool[N, T]"}}

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(4, 6), nn.Tanh())

    def count(self, mask: Tensor) -> Tensor:
        return mask.sum(1, keepdim=True)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        return (self.encode(steps) * mask[..., None]).sum(1) / self.count(mask)


class Right(Wrong):
    def count(self, mask: Tensor) -> Tensor:
        return mask.sum(1, keepdim=True).clamp(min=1)
