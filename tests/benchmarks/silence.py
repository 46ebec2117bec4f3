"""Silence: the gradient check on the modules of ``torch.nn``, which are right but for what torch gets wrong itself."""

from collections.abc import Iterator

from tests.torch_modules import KNOWN
from verifykit.testing import run_one

COMMON = (
    *("Linear", "Conv1d", "Conv2d", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "ReLU", "GELU", "Tanh"),
    *("Sigmoid", "Softmax", "MaxPool2d", "AvgPool2d", "Embedding", "LSTM", "GRU", "MultiheadAttention"),
    *("TransformerEncoderLayer", "CrossEntropyLoss"),
)
SEEDS_OF_COMMON, SEEDS_OF_OTHERS = 50, 2

# What torch 2.13 gets wrong in double precision, with the evidence.
UPSTREAM = {
    "Hardsigmoid": "its backward multiplies by 1/6 rounded to single precision: the ratio of autograd to numerical "
    "gradient is 1.0000000298, which is float32(1/6) * 6; no report of it was found",
    "CrossMapLRN2d": "its forward never takes the first channel out of the running sum (`c > pre_pad` in "
    "torch/nn/modules/_functions.py, where `>=` is due), so that it differs from LocalResponseNorm, whose gradient its "
    "backward computes",
}


def rows() -> Iterator[tuple[str, int, dict[str, int], str]]:
    """Yield per module: name, seeds, outcomes counted, and the message of the first error."""
    for known in KNOWN:
        seeds = SEEDS_OF_COMMON if known.name in COMMON else SEEDS_OF_OTHERS
        ended: dict[str, int] = {}
        message = ""
        for seed in range(seeds):
            outcome = run_one("gradient", known.target, init=known.init, inputs=known.inputs, seed=seed)
            ended[outcome.status] = ended.get(outcome.status, 0) + 1
            if outcome.findings and not message:
                message = outcome.findings[0].message
        yield known.name, seeds, ended, message
