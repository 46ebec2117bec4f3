"""Modules that are wrong in ways that people get wrong. Each docstring names the check that must fail."""

from reference_modules.broken.batch_softmax import BatchSoftmax
from reference_modules.broken.detached import DetachedScale
from reference_modules.broken.doubled_weight_gradient import DoubledWeightGradient
from reference_modules.broken.dropout_in_eval import DropoutInEval
from reference_modules.broken.inplace_input import InplaceInput
from reference_modules.broken.mean_bias_gradient import MeanBiasGradient
from reference_modules.broken.plain_tensor import PlainTensor
from reference_modules.broken.squeezed_batch import SqueezedBatch
from reference_modules.broken.unclamped_log_loss import UnclampedLogLoss
from reference_modules.broken.wrong_row import WrongRow

__all__ = [
    "BatchSoftmax",
    "DetachedScale",
    "DoubledWeightGradient",
    "DropoutInEval",
    "InplaceInput",
    "MeanBiasGradient",
    "PlainTensor",
    "SqueezedBatch",
    "UnclampedLogLoss",
    "WrongRow",
]
