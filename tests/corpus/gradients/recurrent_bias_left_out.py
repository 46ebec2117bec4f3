"""A hand-written LSTM cell has two biases, as PyTorch's has, and adds one of them twice over."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "unused-parameter"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 3]", "h": "float[N, 4]", "c": "float[N, 4]"}}

    def __init__(self) -> None:
        super().__init__()
        self.weight_ih, self.weight_hh = nn.Parameter(torch.randn(16, 3)), nn.Parameter(torch.randn(16, 4))
        self.bias_ih, self.bias_hh = nn.Parameter(torch.zeros(16)), nn.Parameter(torch.zeros(16))

    def gates(self, x: Tensor, h: Tensor) -> Tensor:
        return F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_ih)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(x, h).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class Right(Wrong):
    def gates(self, x: Tensor, h: Tensor) -> Tensor:
        return F.linear(x, self.weight_ih, self.bias_ih) + F.linear(h, self.weight_hh, self.bias_hh)
