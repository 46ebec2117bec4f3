"""What a module costs, as plain data: time, memory, work, the limits of the machine, growth, and where it goes.

Times are in seconds, memory in bytes. A FLOP is one addition or one multiplication.
"""

from typing import Any, Literal

import msgspec

from verifykit.results.location import Location

Quantity = Literal["time", "peak memory", "saved bytes", "operators"]


class Timing(msgspec.Struct, frozen=True):
    """Wall time of one call: the median over ``runs`` calls, timed in blocks, and the blocks' interquartile range."""

    median: float
    iqr: float
    runs: int


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
    first in ``saved_tensors``. ``kept_per_call`` is what each further call leaves behind, at ``kept_at``.
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


class Roof(msgspec.Struct, frozen=True):
    """What this machine can do in one dtype on so many threads: FLOPs a second of a large matrix product, bytes a
    second of a stream that fits no cache. ``measured`` says when, as a date.
    """

    dtype: str
    device: str
    threads: int
    flops: float
    bandwidth: float
    measured: str = ""

    def limit(self, flops: float, bytes: float) -> float:
        """Return the least time in which this machine could do so much: Williams, Waterman and Patterson (2009)."""
        return max(flops / self.flops, bytes / self.bandwidth)


class RoofPoint(msgspec.Struct, frozen=True):
    """Forward at one size, under the roof: ``reached`` is the least time that the machine allows over that which was
    measured, from 0 to about 1.
    """

    name: str
    sizes: dict[str, int]
    flops: int
    least_bytes: int
    seconds: float
    reached: float

    @property
    def intensity(self) -> float:
        """FLOPs per byte."""
        return self.flops / self.least_bytes if self.least_bytes else 0.0


class Roofline(msgspec.Struct, frozen=True):
    """The roof, and target and reference under it at several sizes."""

    roof: Roof
    points: list[RoofPoint]
    reference_points: list[RoofPoint] = []
    chart: str | None = None


class GrowthPoint(msgspec.Struct, frozen=True):
    """One size of a series: the time of a step, its peak memory, the bytes saved for backward, and the operators that
    forward dispatches.
    """

    size: int
    seconds: float
    peak: int
    saved: int
    operators: int


class Law(msgspec.Struct, frozen=True):
    """How a quantity grows: as ``size ** exponent`` from ``start`` on, ``exponent`` known to ± ``error``; ``constant``
    is what it costs however small the size is. ``also`` names another law that the figures allow as well, such as
    ``L log L``.
    """

    quantity: Quantity
    exponent: float
    error: float
    constant: float
    coefficient: float
    start: int
    also: str | None = None


class LineGrowth(msgspec.Struct, frozen=True):
    """A line at which more operators are called as the size grows: so many for each unit."""

    location: Location | None
    per_unit: float


class Growth(msgspec.Struct, frozen=True):
    """A series along one free symbol, all else being as usual; ``stopped`` says why it went no further."""

    symbol: str
    points: list[GrowthPoint]
    laws: list[Law]
    stopped: str
    sizes: dict[str, int] = {}
    lines: list[LineGrowth] = []
    reference: str | None = None
    reference_points: list[GrowthPoint] = []
    reference_laws: list[Law] = []
    chart: str | None = None

    def law(self, quantity: Quantity, *, reference: bool = False) -> Law | None:
        """Return the law of ``quantity``, where one was found."""
        laws = self.reference_laws if reference else self.laws
        return next((law for law in laws if law.quantity == quantity), None)


class Advice(msgspec.Struct, frozen=True):
    """What to do, in one sentence with its figures, all measured in this run; ``kind`` groups it, ``gain`` is the share
    of a step's time or memory that is at stake, from 0 to 1.
    """

    kind: str
    message: str
    location: Location | None = None
    gain: float = 0.0
    evidence: dict[str, Any] = {}


class Change(msgspec.Struct, frozen=True):
    """A cost now as a multiple of what it was in a saved baseline; below 1 is better."""

    what: str
    before: float
    now: float
    ratio: Ratio
    unit: Literal["s", "B", ""] = ""


class BaselineComparison(msgspec.Struct, frozen=True):
    """This run against a saved one. ``warnings`` say in what the two cannot be compared."""

    name: str
    saved: str
    changes: list[Change]
    warnings: list[str] = []


class Compiled(msgspec.Struct, frozen=True):
    """The module under ``torch.compile``: seconds that compiling took, and compiled / as it is, below 1 is faster."""

    seconds: float
    forward: Ratio | None
    step: Ratio | None


class Measurements(msgspec.Struct, frozen=True):
    """The target's profile and, from the same run, the reference's; ratios are target / reference, below 1 is faster.

    ``trace`` is the name of the gzipped chrome trace written beside the report. ``reason`` says why something, or
    everything, was not measured.
    """

    profile: Profile | None = None
    reference: Profile | None = None
    forward_ratio: Ratio | None = None
    backward_ratio: Ratio | None = None
    step_ratio: Ratio | None = None
    roofline: Roofline | None = None
    growth: list[Growth] = []
    compiled: Compiled | None = None
    advice: list[Advice] = []
    baseline: BaselineComparison | None = None
    trace: str | None = None
    reason: str | None = None
