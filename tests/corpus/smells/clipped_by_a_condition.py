"""A norm clip asks on the host whether it has anything to do."""

from torch import Tensor, nn

CAUGHT_BY = "host-sync"


class Wrong(nn.Module):
    __verifykit__ = {"init": {"bound": 1.5}, "inputs": {"x": "float[N, 6]"}}

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(dim=-1, keepdim=True)
        if norm.max() > self.bound:
            x = x * (self.bound / (norm + 1e-6)).clamp(max=1)
        return x


class Right(Wrong):
    def forward(self, x: Tensor) -> Tensor:
        norm = x.norm(dim=-1, keepdim=True)
        return x * (self.bound / (norm + 1e-6)).clamp(max=1)
