"""Whether our medians are those of hand-written ``torch.utils.benchmark`` code, measured in turn in one process."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from verifykit.config import TargetConfig
from verifykit.profiling.timing import THOROUGH, time_alternately
from verifykit.profiling.workload import workload
from verifykit.runner import Plan, prepare
from verifykit.spec.threads import threads_for

# Rounds of ours and by hand in turn; medians over them are compared.
ROUNDS = 5
SECONDS = 0.3
MODULES = {
    "CustomLinear(5, 3) on (10, 5)": ("reference_modules:CustomLinear", {"input_dim": 5, "output_dim": 3}, {"N": 10}),
    "Linear(1024, 1024) on (256, 1024)": ("torch.nn:Linear", {"in_features": 1024, "out_features": 1024}, {"N": 256}),
    "CustomModel on (64, 5)": ("reference_modules:CustomModel", {}, {"N": 64}),
    "LayerNorm(256) on (64, 256)": ("torch.nn:LayerNorm", {"normalized_shape": 256}, {"N": 64}),
    "GELU on (64, 64)": ("torch.nn:GELU", {}, {}),
    "LSTM(32, 32) on (16, 32, 32)": ("torch.nn:LSTM", {"input_size": 32, "hidden_size": 32}, {"L": 16, "N": 32}),
    "Conv2d(3, 16, 3) on (8, 3, 32, 32)": (
        "torch.nn:Conv2d",
        {"in_channels": 3, "out_channels": 16, "kernel_size": 3},
        {"N": 8, "H": 32, "W": 32},
    ),
}


@dataclass(frozen=True)
class Agreement:
    """Seconds a call by us and by hand, forward and backward."""

    name: str
    direction: str
    ours: float
    by_hand: float

    @property
    def difference(self) -> float:
        """Relative, with its sign."""
        return self.ours / self.by_hand - 1


def agreements() -> Iterator[Agreement]:
    """Yield one for each module and direction."""
    for name, (target, init, sizes) in MODULES.items():
        subject, _ = prepare(target, Plan([], TargetConfig(init)))
        load = workload(subject, sizes)
        elements = sum(t.numel() for t in [*load.inputs, *load.module.parameters()])
        ours: list[tuple[float, float]] = []
        by_hand: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            with threads_for(elements):  # as a profile does
                (times,) = time_alternately([load], THOROUGH)
                assert times.backward is not None
                ours.append((times.forward.timing.median, times.backward.timing.median))
                by_hand.append(_by_hand(load.module, [t.detach().clone().requires_grad_() for t in load.inputs]))
        for position, direction in enumerate(("forward", "backward")):
            yield Agreement(
                name,
                direction,
                statistics.median(pair[position] for pair in ours),
                statistics.median(pair[position] for pair in by_hand),
            )


def _by_hand(module: nn.Module, inputs: list[Tensor]) -> tuple[float, float]:
    """What somebody would write who wants these two times."""
    result = module(*inputs)
    outputs = [t for t in torch.utils._pytree.tree_leaves(result) if t.requires_grad]
    cotangents = [torch.randn_like(t) for t in outputs]
    leaves = [*inputs, *module.parameters()]
    threads = torch.get_num_threads()
    forward = Timer("module(*inputs)", globals={"module": module, "inputs": inputs}, num_threads=threads)
    backward = Timer(
        "torch.autograd.grad(outputs, leaves, cotangents, retain_graph=True)",
        globals={"torch": torch, "outputs": outputs, "leaves": leaves, "cotangents": cotangents},
        num_threads=threads,
    )
    return (
        forward.blocked_autorange(min_run_time=SECONDS).median,
        backward.blocked_autorange(min_run_time=SECONDS).median,
    )
