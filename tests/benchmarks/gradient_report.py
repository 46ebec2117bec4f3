"""Measures the gradient engine and writes ``reports/gradient-engine.md``: ``make gradient-report``."""

import platform
from pathlib import Path

import torch
from tabulate import tabulate

from tests.benchmarks import cost, memory, power, silence
from tests.upstream import UPSTREAM

PATH = Path("reports/gradient-engine.md")


def main() -> None:
    """Run all measurements, which takes some minutes, and write the page."""
    table = [*power.rows()]
    special = [*power.special()]
    quiet = [*silence.rows()]
    PATH.write_text(
        "\n\n".join(_page(table, special, quiet, [*cost.rows()], [*cost.dense_rows()], [*memory.rows()])) + "\n"
    )


def _page(
    table: list[list[str]],
    special: list[list[str]],
    quiet: list[tuple[str, int, dict[str, int], str]],
    costs: list[list[str]],
    dense: list[list[str]],
    peaks: list[list[str]],
) -> list[str]:
    runs = sum(seeds for _, seeds, _, _ in quiet)
    alarms = [(name, ended.get("failed", 0), seeds) for name, seeds, ended, _ in quiet if ended.get("failed")]
    undecided = [(n, ended, seeds) for n, seeds, ended, _ in quiet if set(ended) - {"passed", "failed", "skipped"}]
    needed = [row for row in table if float(row[2]) >= 1e-5]
    complete = sum(row[3] == f"{power.SEEDS} of {power.SEEDS}" for row in needed)
    return [
        "# The gradient engine, measured",
        f"torch {torch.__version__}, {platform.machine()}, {torch.get_num_threads()} threads; "
        "written by `make gradient-report`.",
        "## Power",
        "A relative error planted in one element, one row or all of the weight gradient of `x @ weight.T + bias`, "
        "batch 8, for square weights. *Seen of tried* over seeds that change point and directions. For amounts of "
        f"1e-5 and more the engine sees all {power.SEEDS} of {power.SEEDS} in {complete} of {len(needed)} cells. "
        "Torch's slow mode, which differentiates every element, is run up to size 32.",
        tabulate(table, ("wrong in", "size", "by", "engine", "gradcheck fast", "gradcheck slow"), "pipe"),
        "Other bugs:",
        tabulate(special, ("bug", "engine", "gradcheck fast", "gradcheck slow"), "pipe"),
        "## Silence",
        f"The check `gradient` on {len(quiet)} modules of `torch.nn` in double precision, eval and training mode, "
        f"inputs and parameters, at everyday and mixed scales: {runs} runs, {silence.SEEDS_OF_COMMON} seeds for the "
        f"twenty commonest, {silence.SEEDS_OF_OTHERS} for the others. Modules with errors:",
        tabulate(
            [
                (name, f"{failed} of {seeds}", UPSTREAM.get((name, "gradient"), "FALSE ALARM"))
                for name, failed, seeds in alarms
            ],
            ("module", "runs with an error", "what torch gets wrong"),
            "pipe",
        ),
        f"Modules with an undecided run: {', '.join(f'{n} {e}' for n, e, _ in undecided) or 'none'}.",
        "## Cost",
        "Wall time, input and all parameters, medians of "
        f"{cost.ROUNDS} alternating pairs after one of warm-up. One random direction beside torch's fast mode:",
        _timed(costs, "gradcheck fast"),
        "The whole Jacobian, `verifykit.gradcheck(..., fast_mode=False)`, beside torch's slow mode:",
        _timed(dense, "gradcheck slow"),
        "## Memory",
        "Size of leaves, outputs and saved tensors together; growth of the process's peak resident memory in one plain "
        "forward and backward, and in one check along one direction, each in a process of its own; ratio of the last "
        "to the first. Whole Jacobians are refused above 256 MiB.",
        tabulate(
            peaks, ("function", "needed", "forward, backward", "check", "check / needed"), "pipe", disable_numparse=True
        ),
    ]


def _timed(rows: list[list[str]], theirs: str) -> str:
    return tabulate(rows, ("function", theirs, "engine", "ratio", "times faster"), "pipe", disable_numparse=True)


if __name__ == "__main__":
    main()
