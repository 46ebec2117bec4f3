"""A masked loss selects the valid elements, whose number only the device knows."""

from torch import Tensor, nn

CAUGHT_BY = "host-sync"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, L]", "target": "float[N, L]", "valid": "bool[N, L]"}}

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return (prediction[valid] - target[valid]).square().sum() / 4


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        return ((prediction - target).square() * valid).sum() / 4
