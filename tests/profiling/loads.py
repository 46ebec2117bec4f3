"""Modules with inputs, ready to be profiled."""

from torch import Tensor, nn

from verifykit.profiling.workload import Workload


def load(module: nn.Module, *inputs: Tensor, name: str = "Layer") -> Workload:
    """Return ``module``, in eval mode, with ``inputs``."""
    return Workload(name, module.eval(), lambda given: (given, {}), inputs, sizes={}, seed=0).prepare()


def line_of(text: str, file: str) -> int:
    """Return the number of the only line of ``file`` that contains ``text`` as code of a module."""
    with open(file) as source:  # noqa: PTH123
        (number,) = [number for number, line in enumerate(source, 1) if line.rstrip().endswith(f"# {text}")]
    return number
