"""Label smoothing gives its share to the other classes only."""

from torch import Tensor, nn

CAUGHT_BY = "claim"


class Wrong(nn.Module):
    """Cross entropy with label smoothing."""

    __verifykit__ = {"inputs": {"logits": "float[N, 5]", "target": "long[N] in below 5"}}

    def __init__(self, smoothing: float = 0.1) -> None:
        super().__init__()
        self.smoothing = smoothing

    def share(self, logs: Tensor) -> float:
        return self.smoothing / (logs.shape[-1] - 1)

    def kept(self, share: float) -> float:
        return 1 - self.smoothing - share

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        logs = logits.log_softmax(dim=-1)
        picked = logs.gather(1, target.unsqueeze(1)).squeeze(1)
        share = self.share(logs)
        return -(self.kept(share) * picked + share * logs.sum(dim=-1)).mean()


class Right(Wrong):
    """Cross entropy with label smoothing."""

    def share(self, logs: Tensor) -> float:
        return self.smoothing / logs.shape[-1]

    def kept(self, share: float) -> float:
        return 1 - self.smoothing
