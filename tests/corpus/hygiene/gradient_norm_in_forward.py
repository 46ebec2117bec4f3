"""A loss weighs its terms by gradients of the weights, which are not there where these are frozen."""

import torch
from torch import Tensor, nn

CAUGHT_BY = "freeze"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"x": "float[N, 5]", "y": "float[N, 3]"}}

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Linear(5, 3)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        prediction = self.model(x)
        error = (prediction - y).square().mean()
        if self.training and torch.is_grad_enabled():
            error = error / (1 + self.slope(error, prediction, x, y).norm())
        return error

    def slope(self, error: Tensor, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return torch.autograd.grad(error, self.model.weight, retain_graph=True)[0]


class Right(Wrong):
    def slope(self, error: Tensor, prediction: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (2 / prediction.numel() * (prediction - y).detach()).T @ x.detach()
