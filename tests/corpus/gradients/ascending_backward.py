"""The backward of a hand-written squared error has the gradient of the target."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CAUGHT_BY = "gradient"


class _SquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx, prediction, target):  # noqa: ANN001, ANN205
        ctx.save_for_backward(prediction, target)
        return ((prediction - target) ** 2).mean()

    @staticmethod
    def backward(ctx, grad):  # noqa: ANN001, ANN205
        prediction, target = ctx.saved_tensors
        return grad * 2 * (target - prediction) / target.numel(), None


class Wrong(nn.Module):
    """Squared error loss."""

    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return _SquaredError.apply(prediction, target)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(prediction, target)
