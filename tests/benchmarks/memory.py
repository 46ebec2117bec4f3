"""Peak memory of one check: each function in a process of its own, since a peak never falls."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import verifykit
from tests.benchmarks.cost import LARGE, as_function


def rows() -> Iterator[list[str]]:
    """Yield per function: MiB of leaves, outputs and saved tensors; extra MiB at the peak of one plain forward and
    backward, and of the check; and the ratio of the last to the first.
    """
    for name in LARGE:
        (size, plain), (_, extra) = _in_a_process(name, "plain"), _in_a_process(name, "check")
        yield [name, f"{size:.0f} MiB", f"{plain:.0f} MiB", f"{extra:.0f} MiB", f"{extra / size:.2f}"]


def _in_a_process(name: str, what: str) -> tuple[float, ...]:
    command = [sys.executable, "-m", "tests.benchmarks.memory", name, what]
    return tuple(map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()))


def measure(name: str, what: str) -> tuple[float, float]:
    """Return the size of what must be held and the extra at the peak, in MiB."""
    torch.manual_seed(0)
    function, leaves = as_function(*LARGE[name]())
    # What torch itself takes for its first forward and backward is not the check's.
    warm = [leaf[:1] if leaf.ndim else leaf for leaf in leaves[:1]]
    verifykit.gradcheck(torch.tanh, [warm[0].flatten()[:10].detach().requires_grad_()])
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = [function(*leaves)]
    for tensor in [*leaves, *outputs]:
        note(tensor)
    needed = sum(sizes.values()) / 2**20
    del outputs
    before = _peak()
    if what == "check":
        verifykit.gradcheck(function, leaves, probes=1)
    else:
        torch.autograd.grad(function(*leaves).sum(), leaves)
    return needed, _peak() - before


def _peak() -> float:
    """Peak resident memory of this process in MiB, as Linux counts it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(*measure(*sys.argv[1:]))  # noqa: T201
