"""A mixture of log-probabilities is returned without the minus."""

from torch import Tensor, nn

CAUGHT_BY = "loss-sign"


class Wrong(nn.Module):
    """Negative log-likelihood loss of classes."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5, L]", "target": "long[N, L] in below 5"}}

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return logits.log_softmax(1).gather(1, target[:, None]).mean()


class Right(Wrong):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return -logits.log_softmax(1).gather(1, target[:, None]).mean()
