"""Measures inference on classes of other people's packages and writes ``reports/zero-config.md``: ``make test-zoo``."""

import json
import statistics
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from verifykit.reporting.escape import inline

PATH = Path("reports/zero-config.md")

# Every public module class of these is tried.
MODULES = [
    "auraloss.freq",
    "auraloss.time",
    "conformer",
    "deepctr_torch.layers",
    "entmax.activations",
    "entmax.losses",
    "kornia.losses",
    "local_attention",
    "monai.losses",
    "pytorch_metric_learning.losses",
    "pytorch_msssim",
    "pytorch_tcn",
    "rtdl_num_embeddings",
    "rtdl_revisiting_models",
    "siren_pytorch",
    "slot_attention",
    "torch_geometric.nn.norm",
    "torchcrf",
]

# Classes that nobody could build here, with the reason; they are not counted.
NOT_COUNTED = {
    "auraloss.freq:ChromaSTFTLoss": "needs librosa, which the package does not install",
    "auraloss.freq:MelSTFTLoss": "needs librosa, which the package does not install",
    "monai.losses.perceptual:MedicalNetPerceptualSimilarity": "downloads a model",
    "monai.losses.perceptual:RadImageNetPerceptualSimilarity": "downloads a model",
    "monai.losses.perceptual:TorchvisionModelPerceptualSimilarity": "needs torchvision",
    "monai.losses:PerceptualLoss": "needs lpips and downloads a model",
    "pytorch_metric_learning.losses:BaseMetricLossFunction": "abstract: it raises NotImplementedError",
    "pytorch_tcn.conv:DepthwiseConv1d": "cannot be constructed by anybody: it calls super() with keyword arguments",
    "pytorch_tcn.conv:PointwiseConv1d": "cannot be constructed by anybody: it calls super() with keyword arguments",
}

LEAST = 0.9


def main() -> None:
    """Try all, in a process for each module, write the page, and fail where too few work."""
    with ThreadPoolExecutor(2) as pool:
        rows = [row for rows in pool.map(_tried, MODULES) for row in rows if row["name"] not in NOT_COUNTED]
    PATH.write_text("\n\n".join(_page(rows)) + "\n")
    share = sum("inputs" in row for row in rows) / len(rows)
    sys.exit(0 if share >= LEAST else f"{share:.1%} work, {LEAST:.0%} are wanted: see {PATH}")


def _tried(module: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-m", "tests.zoo.classes", module], capture_output=True, text=True)
    found: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        if line.startswith('{"name"'):
            row = json.loads(line)
            found[row["name"]] = row
    if not found:
        raise RuntimeError(f"{module}: {done.stderr[-500:]}")
    ended = {"seconds": float("nan"), "error": f"the process ended with exit code {done.returncode}"}
    return [row if "seconds" in row else {**row, **ended} for row in found.values()]


def _page(rows: list[dict[str, Any]]) -> list[str]:
    works = [row for row in rows if "inputs" in row]
    times = sorted(row["seconds"] for row in rows)
    sources = Counter(source for row in works for source in row["sources"])
    packages = {row["name"].partition(":")[0].partition(".")[0] for row in rows}
    table = [
        [f"`{row['name']}`", f"{row['seconds']:.2f}", ", ".join(row["sources"]), inline(row["inputs"])] for row in works
    ]
    failed = [[f"`{row['name']}`", f"{row['seconds']:.2f}", row["error"]] for row in rows if "error" in row]
    return [
        "# Specs without configuration, measured",
        f"torch {torch.__version__}, {torch.get_num_threads()} threads; written by `make test-zoo`. "
        f"Every public module class of {len(MODULES)} modules from {len(packages)} packages that know nothing of "
        "verifykit: works means that it was built and fed in double precision without a word from anybody.",
        tabulate(
            [
                ["classes", len(rows)],
                ["work", f"{len(works)} ({len(works) / len(rows):.1%})"],
                ["median time", f"{statistics.median(times):.2f} s"],
                ["95th percentile", f"{times[int(0.95 * len(times))]:.2f} s"],
            ],
            tablefmt="pipe",
            headers=("", "measured"),
        ),
        "Classes to which each source contributed: " + ", ".join(f"{k} {n}" for k, n in sources.most_common()) + ".",
        "## What does not work, and why",
        tabulate([[n, s, inline(e[:300])] for n, s, e in failed], ("class", "seconds", "error"), "pipe"),
        "## What works",
        tabulate(table, ("class", "seconds", "sources", "inputs"), "pipe"),
        "## Not counted",
        tabulate(sorted([f"`{n}`", reason] for n, reason in NOT_COUNTED.items()), ("class", "reason"), "pipe"),
    ]


if __name__ == "__main__":
    main()
