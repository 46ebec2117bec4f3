"""Whether one module may replace another, as plain data: what ``verifykit compare`` prints and writes."""

from typing import Any, Literal

import msgspec

from verifykit import __version__
from verifykit.results import Environment, SpecFacts
from verifykit.results.cost import Ratio, Timing

SCHEMA = "verifykit.compare/1"

Verdict = Literal["equal", "differs", "inconclusive"]


class Precision(msgspec.Struct, frozen=True):
    """The comparison in one dtype: at ``examples`` points forward and backward.

    ``criterion`` says what was allowed, ``worst`` is the greatest error seen relative to the greatest value of its
    tensor. ``message`` is the smallest counterexample in one line, with its numbers in ``evidence``; or why nothing was
    decided, which is so for a dtype in which one of the two does not run. ``notes`` are harmless differences.
    """

    dtype: str
    verdict: Verdict
    criterion: str
    examples: int = 0
    worst: float | None = None
    ulps: int | None = None
    message: str | None = None
    evidence: dict[str, Any] = {}
    notes: list[str] = []


class Cost(msgspec.Struct, frozen=True):
    """What one of the two costs in float32 at ``sizes``: wall times, parameters, the most bytes that a training step
    takes above inputs and parameters, and those that it keeps from forward to backward.
    """

    name: str
    sizes: dict[str, int]
    forward: Timing
    backward: Timing | None
    parameters: int
    parameter_bytes: int
    peak_bytes: int
    saved_bytes: int


class Comparison(msgspec.Struct, frozen=True):
    """A candidate held against a reference. In JSON, this with ``"schema": "verifykit.compare/1"`` first.

    ``verdict`` is ``differs`` if it is so in any dtype, ``equal`` if it is so in float64 and float32 and nothing
    differs, else ``inconclusive``, and then ``reason`` says why. ``correspondence`` says how parameters were carried
    over where that is not by name. Costs are missing where they were not measured, ``unmeasured`` says why; ratios are
    candidate / reference, below 1 is better.
    """

    candidate: str
    reference: str
    verdict: Verdict
    reason: str | None = None
    seed: int = 0
    spec: SpecFacts | None = None
    correspondence: list[str] = []
    precisions: list[Precision] = []
    candidate_cost: Cost | None = None
    reference_cost: Cost | None = None
    forward_ratio: Ratio | None = None
    backward_ratio: Ratio | None = None
    memory_ratio: float | None = None
    unmeasured: str | None = None
    environment: Environment | None = None
    verifykit: str = __version__
    command: str = ""
    schema: str = SCHEMA
