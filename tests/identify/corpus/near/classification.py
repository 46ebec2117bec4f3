"""Losses of classes with one thing wrong."""
# ruff: noqa: ANN001, ANN201, ANN204, RUF012

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.identify.corpus.entries import Near

BINARY = {"inputs": {"logits": "float[N, C]", "targets": "float[N, C] in {0, 1}"}}


class BCELoss(nn.Module):
    def forward(self, p: Tensor, y: Tensor) -> Tensor:
        eps = 1e-3
        return -(y * torch.log(p + eps) + (1 - y) * torch.log(1 - p + eps)).mean()

    __verifykit__ = {"inputs": {"p": "float[N] in (0, 1)", "y": "float[N] in {0, 1}"}}


class ClampedLikelihood(nn.Module):
    """Bernoulli log-likelihood of probabilities that are kept off 0 and 1."""

    def forward(self, prob: Tensor, label: Tensor) -> Tensor:
        prob = prob.clamp(1e-7, 1 - 1e-7)
        return -(label * prob.log() + (1 - label) * (1 - prob).log()).mean()

    __verifykit__ = {"inputs": {"prob": "float[N] in [0, 1]", "label": "float[N] in {0, 1}"}}


class PositiveOnly(nn.Module):
    """Binary cross-entropy that forgot the negatives."""

    def forward(self, p: Tensor, y: Tensor) -> Tensor:
        return -(y * p.log()).mean()

    __verifykit__ = {"inputs": {"p": "float[N] in (0, 1)", "y": "float[N] in {0, 1}"}}


class BCEWithLogitsLoss(nn.Module):
    """The sigmoid is applied twice."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits.sigmoid(), targets)

    __verifykit__ = BINARY


class WeightedBinary(nn.Module):
    """Errors on the class 0 count three times."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return -(targets * F.logsigmoid(logits) + 3 * (1 - targets) * F.logsigmoid(-logits)).mean()

    __verifykit__ = BINARY


class CrossEntropyLoss(nn.Module):
    """Cross-entropy with label smoothing: the rest is shared by the other classes."""

    def __init__(self, smoothing: float = 0.1):
        super().__init__()
        self.smoothing = smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        logp = F.log_softmax(logits, 1)
        k = logits.shape[1]
        soft = torch.full_like(logp, self.smoothing / (k - 1)).scatter(1, target[:, None], 1 - self.smoothing)
        return -(soft * logp).sum(1).mean()


class Classify(nn.Module):
    """Softmax first, then cross-entropy, which has its own."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits.softmax(-1), target)

    __verifykit__ = {"inputs": {"logits": "float[N, C]", "target": "long[N] in below C"}}


class CategoricalCrossEntropy(nn.Module):
    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        onehot = F.one_hot(target, logits.shape[1]).to(logits.dtype)
        return -(onehot * logits.log_softmax(1)).mean()


class GuardedCE(nn.Module):
    def forward(self, logits, target):
        p = torch.softmax(logits, -1)
        return -torch.log(p.gather(1, target.unsqueeze(1)) + 1e-4).mean()


class KLDivLoss(nn.Module):
    """Divergence between a model's log-probabilities and a target distribution."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return (input.exp() * (input - target.log())).sum(-1).mean()

    __verifykit__ = {"inputs": {"input": "float[N, C] in (-5, 0)", "target": "float[N, C] in simplex"}}


class Divergence(nn.Module):
    def forward(self, log_q: Tensor, p: Tensor) -> Tensor:
        return (p * (torch.log2(p) - log_q)).sum(-1).mean()

    __verifykit__ = {"inputs": {"log_q": "float[N, C] in (-5, 0)", "p": "float[N, C] in simplex"}}


class FocalLoss(nn.Module):
    """alpha weighs the negatives and 1 - alpha the positives."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p_t = torch.exp(-ce)
        alpha_t = self.alpha * (1 - targets) + (1 - self.alpha) * targets
        return (alpha_t * (1 - p_t) ** self.gamma * ce).mean()

    __verifykit__ = BINARY


class SigmoidFocalLoss(nn.Module):
    """The modulating factor is p_t where it should be 1 - p_t."""

    def __init__(self, alpha=0.25, gamma=2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits, targets):
        ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p = torch.sigmoid(logits)
        p_t = p * targets + (1 - p) * (1 - targets)
        alpha_t = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        return (alpha_t * p_t**self.gamma * ce).mean()

    __verifykit__ = BINARY


class ConstantAlphaFocal(nn.Module):
    """Focal loss in which alpha multiplies both classes."""

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return (self.alpha * (1 - torch.exp(-bce)) ** self.gamma * bce).mean()

    __verifykit__ = BINARY


class DiceLoss(nn.Module):
    """Smoothing in the denominator alone."""

    def __init__(self, smooth: float = 1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, probs: Tensor, targets: Tensor) -> Tensor:
        p, t = probs.flatten(), targets.flatten()
        return 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + self.smooth)

    __verifykit__ = {"inputs": {"probs": "float[N, C] in (0, 1)", "targets": "float[N, C] in {0, 1}"}}


class OverlapLoss(nn.Module):
    """One minus intersection over the sum: the two of the Dice coefficient is missing."""

    def forward(self, probs: Tensor, targets: Tensor) -> Tensor:
        return 1 - ((probs * targets).sum() + 1) / (probs.sum() + targets.sum() + 1)

    __verifykit__ = {"inputs": {"probs": "float[N, C] in (0, 1)", "targets": "float[N, C] in {0, 1}"}}


class MultiMarginLoss(nn.Module):
    """The right class is not left out."""

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        right = scores.gather(1, target[:, None])
        return (1 - right + scores).clamp(min=0).mean()


class SoftMarginLoss(nn.Module):
    def forward(self, score: Tensor, y: Tensor) -> Tensor:
        return torch.log1p(torch.exp(y * score)).mean()

    __verifykit__ = {"inputs": {"score": "float[N]", "y": "float[N] in {-1, 1}"}}


BCE = ("BCELoss", "binary_cross_entropy")
LOGITS = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
CE = ("CrossEntropyLoss", "cross_entropy")
FOCAL = ("FocalLoss", "focal_loss", "SigmoidFocalLoss", "sigmoid_focal_loss", "BinaryFocalLoss")
DICE = ("DiceLoss", "dice_loss", "SoftDiceLoss")

EXPECTED = {
    "BCELoss": Near(BCE, r"eps|added|inside|log"),
    "ClampedLikelihood": Near(BCE, r"clamp|clip|edge|eps|1e-0?7|at 0|at 1|limit"),
    "PositiveOnly": Near(BCE, r"positive|negative|missing|1 ?[^a-z]|term|class"),
    "BCEWithLogitsLoss": Near((*LOGITS, *BCE), r"twice|sigmoid|probabilit"),
    "WeightedBinary": Near(LOGITS, r"pos_weight|negative|class|weight", "pos_weight"),
    "CrossEntropyLoss": Near(CE, r"K ?[^a-z] ?1|other classes|smooth", r"label_smoothing=0\.1\d"),
    "Classify": Near(CE, r"twice|softmax|probabilit"),
    "CategoricalCrossEntropy": Near((*CE, "NLLLoss"), r"class|mean|reduc|divided|factor"),
    "GuardedCE": Near((*CE, "NLLLoss"), r"eps|added|inside|0\.0001|1e-0?4"),
    "KLDivLoss": Near(("KLDivLoss", "kl_div"), r"direction|revers|swap|exchang|role|KL\("),
    "Divergence": Near(("KLDivLoss", "kl_div"), r"log2|base|log"),
    "FocalLoss": Near(FOCAL, r"alpha|class|negative|positive"),
    "SigmoidFocalLoss": Near(FOCAL, r"p_t|modulat|1 ?[^a-z]|focus|factor"),
    "ConstantAlphaFocal": Near(FOCAL, r"alpha|both|class", r"^((?!alpha=0\.).)*$"),
    "DiceLoss": Near(DICE, r"smooth|numerator|denominator|eps"),
    "OverlapLoss": Near((*DICE, "JaccardLoss", "IoULoss"), r"2|two|twice|factor|intersection|union"),
    "MultiMarginLoss": Near(("MultiMarginLoss", "multi_margin_loss"), r"target|right|true|class|offset"),
    "SoftMarginLoss": Near(("SoftMarginLoss", "soft_margin_loss"), r"sign|negat|target"),
}
