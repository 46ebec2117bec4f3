"""How losses are reduced."""

from torch import Tensor

MEAN_SUM_NONE = ("mean", "sum", "none")


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return its mean, its sum, its sum over the batch size, or the loss as it is."""
    if reduction == "none":
        return loss
    if reduction == "batchmean":
        return loss.sum() / loss.shape[0]
    return loss.mean() if reduction == "mean" else loss.sum()
