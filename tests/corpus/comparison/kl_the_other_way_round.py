"""The divergence is that of the prediction from the target, where the target's from the prediction is meant."""

from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Kullback-Leibler divergence of the target from the prediction."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "target": "float[N, 5]"}}

    def divergence(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction.exp() * (prediction - target)).sum(dim=-1).mean()

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return self.divergence(logits.log_softmax(dim=-1), target.log_softmax(dim=-1))


class Right(Wrong):
    """Kullback-Leibler divergence of the target from the prediction."""

    def divergence(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (target.exp() * (target - prediction)).sum(dim=-1).mean()
