"""A regression loss divides by the number of samples less one, and is infinite for one sample."""

from torch import Tensor, nn

CAUGHT_BY = "batch-size-one"


class Wrong(nn.Module):
    __verifykit__ = {"inputs": {"prediction": "float[N, 3]", "target": "float[N, 3]"}}

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        errors = (prediction - target).square().sum(-1)
        return errors.sum() / (len(errors) - 1)


class Right(Wrong):
    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).square().sum(-1).mean()
