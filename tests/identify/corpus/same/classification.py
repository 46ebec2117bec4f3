"""Losses of classes, written again."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Same


class BinaryCrossEntropy(nn.Module):
    def forward(self, p: Tensor, y: Tensor) -> Tensor:
        return -(y * p.log().clamp(min=-100) + (1 - y) * (1 - p).log().clamp(min=-100)).mean()

    __verifykit__ = {"inputs": {"p": "float[N] in (0, 1)", "y": "float[N] in [0, 1]"}}


class StableBCE(nn.Module):
    """Binary cross-entropy from logits, by the log-sum-exp trick."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return (logits.clamp(min=0) - logits * labels + torch.log1p(torch.exp(-logits.abs()))).mean()

    __verifykit__ = {"inputs": {"logits": "float[N]", "labels": "float[N] in {0, 1}"}}


class GatherCrossEntropy(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        logp = logits - logits.logsumexp(1, keepdim=True)
        return -logp.gather(1, target[:, None]).mean()


class OneHotCrossEntropy(nn.Module):
    def __init__(self, num_classes: int = 5):
        super().__init__()
        self.num_classes = num_classes

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        onehot = F.one_hot(target, self.num_classes).to(logits.dtype)
        return -(onehot * logits.log_softmax(-1)).sum(-1).mean()


class SoftTargetCE(nn.Module):
    """Cross-entropy with a distribution over the classes as target."""

    def forward(self, logits, target_probs):
        return torch.mean(torch.sum(-target_probs * F.log_softmax(logits, dim=-1), dim=-1))

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "target_probs": "float[N, C] in simplex"}}


class SmoothedCrossEntropy(nn.Module):
    """Label smoothing: (1 - eps) on the label, eps / K on all classes."""

    def __init__(self, smoothing: float = 0.1):
        super().__init__()
        self.smoothing = smoothing

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        logprobs = F.log_softmax(x, dim=-1)
        nll = -logprobs.gather(dim=-1, index=target.unsqueeze(1)).squeeze(1)
        return ((1 - self.smoothing) * nll - self.smoothing * logprobs.mean(dim=-1)).mean()


class PickAndNegate(nn.Module):
    def forward(self, log_probs: Tensor, target: Tensor) -> Tensor:
        return -log_probs[torch.arange(len(target)), target].mean()


class LogLikelihood(nn.Module):
    """The mean log-likelihood, to be maximised."""

    def forward(self, log_probs: Tensor, target: Tensor) -> Tensor:
        return log_probs.gather(1, target.unsqueeze(1)).mean()


class KLDivergence(nn.Module):
    """KL(target || model), model as log-probabilities, mean over the batch."""

    def forward(self, log_q: Tensor, p: Tensor) -> Tensor:
        return (p * (p.log() - log_q)).sum() / log_q.shape[0]

    __verifykit__ = {"inputs": {"log_q": "float[N, C] in (-5, 0)", "p": "float[N, C] in simplex"}}


class HingeOnDistance(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, distance, y):
        return torch.where(y == 1, distance, (self.margin - distance).clamp(min=0)).mean()

    __verifykit__ = {"inputs": {"distance": "float[N]", "y": "float[N] in {-1, 1}"}}


class LogisticLoss(nn.Module):
    def forward(self, score: Tensor, y: Tensor) -> Tensor:
        return torch.log1p(torch.exp(-y * score)).mean()

    __verifykit__ = {"inputs": {"score": "float[N]", "y": "float[N] in {-1, 1}"}}


class CrammerSinger(nn.Module):
    """Multi-class hinge loss: the margins of the wrong classes, over the number of classes."""

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        right = scores.gather(1, target[:, None])
        margins = (1 - right + scores).clamp(min=0)
        mask = 1 - F.one_hot(target, scores.shape[1]).to(scores.dtype)
        return (margins * mask).sum(1).mean() / scores.shape[1]


class MultiLabelLoss(nn.Module):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return -(labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)).mean(-1).mean()

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "labels": "float[N, C] in {0, 1}"}}


class BinaryFocal(nn.Module):
    """Focal loss of Lin et al. (2017), alpha for the positive class."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        p = torch.sigmoid(logits)
        ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p_t = p * targets + (1 - p) * (1 - targets)
        alpha_t = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        return (alpha_t * (1 - p_t) ** self.gamma * ce).mean()

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "targets": "float[N, C] in {0, 1}"}}


CE = ("CrossEntropyLoss", "cross_entropy")
NLL = ("NLLLoss", "nll_loss")
# The same where nothing is weighted.
BINARY = (
    "BCEWithLogitsLoss",
    "binary_cross_entropy_with_logits",
    "MultiLabelSoftMarginLoss",
    "multilabel_soft_margin_loss",
)

EXPECTED = {
    "BinaryCrossEntropy": Same(("BCELoss", "binary_cross_entropy")),
    "StableBCE": Same(BINARY),
    "GatherCrossEntropy": Same(CE),
    "OneHotCrossEntropy": Same(CE),
    "SoftTargetCE": Same(CE),
    "SmoothedCrossEntropy": Same(CE, "", r"label_smoothing=0\.1"),
    "PickAndNegate": Same(NLL),
    "LogLikelihood": Same(NLL, "factor|times|-1|negat"),
    "KLDivergence": Same(("KLDivLoss", "kl_div"), "", "batchmean"),
    "HingeOnDistance": Same(("HingeEmbeddingLoss", "hinge_embedding_loss")),
    "LogisticLoss": Same(("SoftMarginLoss", "soft_margin_loss")),
    "CrammerSinger": Same(("MultiMarginLoss", "multi_margin_loss")),
    "MultiLabelLoss": Same(BINARY),
    "BinaryFocal": Same(("FocalLoss", "focal_loss", "sigmoid_focal_loss", "SigmoidFocalLoss", "BinaryFocalLoss")),
}
