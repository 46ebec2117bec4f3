"""What one module costs at one size, as plain data: time, memory, work, and where it goes.

Times are in seconds, memory in bytes. A FLOP is one addition or one multiplication.
"""

import msgspec

from verifykit.results.location import Location


class Timing(msgspec.Struct, frozen=True):
    """Wall time of one call: the median over ``runs`` calls, timed in blocks, and the blocks' interquartile range.
    ``least`` is the time of the fastest block: what else runs on the machine only ever adds.
    """

    median: float
    iqr: float
    runs: int
    least: float = 0.0


class Ratio(msgspec.Struct, frozen=True):
    """A cost as a multiple of the reference's, below 1 is better; ``low`` to ``high`` holds it with at least 95 %
    confidence, from rounds in which both were timed in turn.
    """

    value: float
    low: float
    high: float

    @property
    def is_measured(self) -> bool:
        """Whether there is any difference: the interval leaves out 1."""
        return not self.low <= 1 <= self.high


class OperatorCost(msgspec.Struct, frozen=True):
    """Cost of one operator per call of the module: times, and memory allocated (net)."""

    name: str
    calls: float
    self_cpu: float
    total_cpu: float
    memory: float
    self_device: float = 0.0


class SavedTensor(msgspec.Struct, frozen=True):
    """A tensor that autograd keeps from forward to backward, and the line of the user's code that made it do so;
    ``function`` is the autograd node that keeps it where it is known.
    """

    bytes: int
    shape: list[int]
    dtype: str
    location: Location | None = None
    function: str | None = None


class Memory(msgspec.Struct, frozen=True):
    """Memory of one training step.

    Peaks are above what is there before the step: inputs, cotangents, parameters and buffers; ``backward_peak`` counts
    what forward left alive. ``allocated`` is all that was asked of the allocator, so what exceeds the peaks is
    temporary traffic. ``saved`` is kept from forward to backward beside inputs, parameters and buffers, the largest
    first in ``saved_tensors``. ``kept_per_call`` is what each further call leaves behind, at ``kept_at``,
    with a graph of autograd where ``kept_graph``.
    """

    inputs: int
    outputs: int
    parameters: int
    buffers: int
    forward_peak: int
    backward_peak: int | None
    allocated: int
    saved: int
    saved_tensors: list[SavedTensor] = []
    kept_per_call: float = 0.0
    kept_at: Location | None = None
    kept_graph: bool = False


class Uncounted(msgspec.Struct, frozen=True):
    """An operator without a FLOP formula, with its share of the self time of forward and backward, from 0 to 1."""

    name: str
    share: float


class Work(msgspec.Struct, frozen=True):
    """FLOPs by ``torch.utils.flop_counter``, and the bytes that forward must move at least: inputs, outputs and
    parameters once. ``backward_flops`` is ``None`` where there is no backward.
    """

    forward_flops: int
    backward_flops: int | None
    least_bytes: int
    uncounted: list[Uncounted] = []

    @property
    def intensity(self) -> float:
        """FLOPs per byte of forward."""
        return self.forward_flops / self.least_bytes if self.least_bytes else 0.0


class LineCost(msgspec.Struct, frozen=True):
    """What one line of the module's own code costs in a step: seconds in the operators that it calls, forward and, by
    autograd, backward, and their shares of all; bytes allocated; operators, the costliest first, and how many calls.
    """

    location: Location | None
    forward: float
    backward: float
    share: float
    allocated: int
    calls: int
    operators: list[str]


class SubmoduleCost(msgspec.Struct, frozen=True):
    """Wall time of forward inside one submodule, ``path`` as in ``named_modules``; ``own`` leaves out its children."""

    path: str
    kind: str
    calls: int
    seconds: float
    own: float
    share: float


class Copied(msgspec.Struct, frozen=True):
    """Copies and changes of layout or type that a line makes at every call of forward."""

    operator: str
    location: Location | None
    bytes: int
    calls: int


class Waited(msgspec.Struct, frozen=True):
    """A line at which the host needs a value that the device computes."""

    what: str
    location: Location | None
    calls: int


class Where(msgspec.Struct, frozen=True):
    """Where a step spends its time. ``overhead`` is the share, from 0 to 1, that is Python and dispatch rather than
    kernels; ``operators_per_call`` the number of operators that forward dispatches.
    """

    lines: list[LineCost] = []
    submodules: list[SubmoduleCost] = []
    overhead: float | None = None
    operators_per_call: int = 0
    copies: list[Copied] = []
    waits: list[Waited] = []


class Profile(msgspec.Struct, frozen=True):
    """What one module costs at one size. ``backward`` parts are ``None`` where there is none; ``step`` is a forward in
    training mode and its backward.
    """

    name: str
    sizes: dict[str, int]
    dtype: str
    threads: int
    parameters: int
    parameter_bytes: int
    forward: Timing
    backward: Timing | None
    step: Timing | None
    work: Work
    forward_operators: list[OperatorCost]
    backward_operators: list[OperatorCost]
    memory: Memory | None = None
    where: Where | None = None
