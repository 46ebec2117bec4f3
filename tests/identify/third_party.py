"""What ``identity`` says of other people's classes, a line of JSON each, in the environment of ``make test-zoo``:
``python -m tests.identify.third_party MODULE…``.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.identify.answers import Question, answer
from verifykit.packages import expanded

PYTHON = Path(".venv-zoo/bin/python")

# Every public module class of these is asked about.
MODULES = [
    "auraloss.time",
    "conformer",
    "deepctr_torch.layers",
    "entmax.activations",
    "entmax.losses",
    "local_attention",
    "monai.losses",
    "pytorch_tcn",
    "rtdl_num_embeddings",
    "rtdl_revisiting_models",
    "siren_pytorch",
    "slot_attention",
    "torch_geometric.nn.norm",
]

# Those that do equal an operation, as their source shows, and the operation.
REAL: dict[str, tuple[str, str]] = {
    "conformer.conformer:Swish": ("SiLU", "x * x.sigmoid()"),
    "conformer.conformer:Scale": ("ReLU", "twice the function that it was given here"),
    "deepctr_torch.layers:KMaxPooling": ("topk", "torch.topk(...)[0]"),
    "local_attention.transformer:GEGLU": ("GEGLU", "one half times the GELU of the other"),
    "monai.losses:ContrastiveLoss": ("NT-Xent", "its docstring says so"),
    "monai.losses:DiceLoss": ("Dice loss", "by its definition"),
    "monai.losses:MaskedDiceLoss": ("Dice loss", "without a mask, as it is fed"),
    "monai.losses:MaskedLoss": ("MSELoss", "the loss that it was given here, without a mask"),
    "monai.losses:MultiScaleLoss": ("MSELoss", "the loss that it was given here, at the one scale of its default"),
    "monai.losses:TverskyLoss": ("Tversky loss", "by its definition"),
    "pytorch_tcn:TemporalConv1d": ("causal convolution", "it is causal unless told otherwise"),
    "torch_geometric.nn.norm:InstanceNorm": (
        "BatchNorm1d",
        "all rows are one graph where no batch is given: each feature is normalised over them",
    ),
    "conformer.conformer:GLU": ("GLU", "one half times the sigmoid of the other"),
    "deepctr_torch.layers:Conv2dSame": (
        "Conv2d",
        "its padding is 1 on all sides where the stride is 1 and the kernel is 3",
    ),
    "deepctr_torch.layers.activation:Identity": ("Identity", "returns its input"),
    "pytorch_tcn.conv:TemporalPad1d": ("Pad1d", "nn.ConstantPad1d; the buffer is for streaming"),
    "siren_pytorch:Sine": ("sin", "sin(w0 * x) with w0 = 1"),
    "torch_geometric.nn.norm:BatchNorm": ("BatchNorm1d", "wraps it"),
}


@dataclass(frozen=True)
class Claim:
    """What was said of one class: ``name`` and ``relation`` of the likeness, ``text`` for a table."""

    target: str
    relation: str
    name: str
    text: str
    seconds: float
    trouble: str

    @property
    def is_false(self) -> bool:
        """Whether it is said to equal what it does not equal."""
        if self.relation not in ("identical", "identical up to"):
            return False
        operation, _ = REAL.get(self.target, ("", ""))
        return not operation or operation not in self.name


def claims() -> list[Claim]:
    """Return what is said of each class that could be built and fed, in one process for each module, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return [claim for found in pool.map(_claims, MODULES) for claim in found if not claim.trouble]


def main(modules: list[str]) -> None:
    """Print what is said of each public module class, as soon as it is known."""
    logging.disable(logging.CRITICAL)
    for module in modules:
        names, _ = expanded(module)
        for name in names:
            print(json.dumps(_asked(name)), flush=True)  # noqa: T201


def _asked(name: str) -> dict[str, object]:
    found = answer(Question(name))
    likeness = found.likeness
    return {
        "target": name,
        "relation": likeness.relation if likeness else "none",
        "name": likeness.name if likeness else "",
        "text": found.text,
        "seconds": found.seconds,
        "trouble": found.trouble,
    }


def _claims(module: str) -> Iterator[Claim]:
    command = [str(PYTHON), "-m", "tests.identify.third_party", module]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        if line.startswith('{"target"'):
            yield Claim(**json.loads(line))


if __name__ == "__main__":
    main(sys.argv[1:])
