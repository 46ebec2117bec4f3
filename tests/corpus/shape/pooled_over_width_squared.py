"""Global pooling divides by the width squared."""

from torch import Tensor, nn

CAUGHT_BY = "non-square"


class Wrong(nn.Module):
    """Squeeze and excitation."""

    __verifykit__ = {"inputs": {"x": "float[N, 4, H, W]"}}

    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Linear(4, 2), nn.Linear(2, 4)

    def pool(self, x: Tensor) -> Tensor:
        return x.sum((2, 3)) / x.shape[-1] ** 2

    def forward(self, x: Tensor) -> Tensor:
        gate = self.excite(self.squeeze(self.pool(x)).relu()).sigmoid()
        out: Tensor = x * gate[:, :, None, None]
        return out


class Right(Wrong):
    def pool(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))
