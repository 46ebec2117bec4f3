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
