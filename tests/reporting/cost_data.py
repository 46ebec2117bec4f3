"""Measurements such as a run makes of an attention with a loop over its batch, beside a built-in; none was measured."""

from verifykit.results import Audit, CheckOutcome, Location
from verifykit.results.cost import (
    Copied,
    LineCost,
    Memory,
    OperatorCost,
    Profile,
    Ratio,
    SavedTensor,
    SubmoduleCost,
    Timing,
    Uncounted,
    Waited,
    Where,
    Work,
)
from verifykit.results.growth import Growth, GrowthPoint, Law, LineGrowth, Roof, Roofline, RoofPoint
from verifykit.results.performance import Advice, BaselineComparison, Change, Compiled, Measurements

OWN, BUILTIN = "layers.py:LoopAttention", "torch.nn:MultiheadAttention(embed_dim=64, num_heads=4, batch_first=True)"
LOOP, SOFTMAX, COPY = (Location("layers.py", line) for line in (41, 44, 47))
KIB = 1024

MEMORY = Memory(
    32 * KIB, 32 * KIB, 66_560, 256, 420 * KIB, 910 * KIB, 1500 * KIB, 330 * KIB,
    [
        SavedTensor(128 * KIB, [8, 4, 64, 16], "float32", SOFTMAX, "SoftmaxBackward0"),
        SavedTensor(96 * KIB, [8, 16, 192], "float32", LOOP, "AddmmBackward0"),
        *[SavedTensor(16 * KIB, [8, 16, 32], "float32", None, None)] * 7,
    ],
    4096.0,
    COPY,
)  # fmt: skip

WHERE = Where(
    [
        LineCost(LOOP, 1.1e-3, 2.4e-3, 0.86, 512 * KIB, 56, ["aten::addmm", "aten::bmm", "aten::copy_", "aten::add"]),
        LineCost(SOFTMAX, 1e-4, 1.6e-4, 0.09, 128 * KIB, 8, ["aten::_softmax"]),
        LineCost(None, 4e-5, 0.0, 0.004, 0, 3, []),
    ],
    [SubmoduleCost("", "LoopAttention", 1, 1.3e-3, 1.1e-3, 1.0), SubmoduleCost("out", "Linear", 1, 2e-4, 2e-4, 0.15)],
    0.62,
    71,
    [Copied("aten::contiguous", COPY, 32 * KIB, 8)],
    [Waited("the value of a tensor (.item())", LOOP, 8)],
)

OPERATORS = [OperatorCost("aten::addmm", 16, 4.1e-4, 4.5e-4, 96 * KIB), OperatorCost("aten::bmm", 16, 2e-4, 3e-4, 9e4)]

PROFILE = Profile(
    OWN, {"N": 8, "L": 16}, "float32", 2, 16_640, 66_560, Timing(1.31e-3, 4e-5, 320), Timing(2.75e-3, 9e-5, 160),
    Timing(4.2e-3, 1.1e-4, 120),
    Work(4_718_592, 9_437_184, 132_096, [Uncounted("aten._softmax", 0.05), Uncounted("aten.add", 0.001)]),
    OPERATORS, OPERATORS[::-1], MEMORY, WHERE,
)  # fmt: skip
REFERENCE = Profile(
    BUILTIN, {"N": 8, "L": 16}, "float32", 2, 16_640, 66_560, Timing(4.1e-4, 9e-6, 950), Timing(8.9e-4, 2e-5, 480),
    Timing(1.35e-3, 3e-5, 320), Work(4_718_592, 9_437_184, 132_096), [], [],
    Memory(32 * KIB, 32 * KIB, 66_560, 0, 300 * KIB, 600 * KIB, 800 * KIB, 210 * KIB),
)  # fmt: skip

ROOF = Roof("float32", "cpu", 2, 1.48e11, 1.52e10, "2026-11-24")


def under(name: str, length: int, seconds: float) -> RoofPoint:
    flops, least = 8 * (length * 32_768 + length**2 * 256), 4 * (8 * length * 128 + 16_640)
    return RoofPoint(name, {"N": 8, "L": length}, flops, least, seconds, ROOF.limit(flops, least) / seconds)


ROOFLINE = Roofline(
    ROOF,
    [under(OWN, 16, 1.31e-3), under(OWN, 64, 2.0e-3), under(OWN, 256, 9.5e-3), under(OWN, 1024, 9e-2)],
    [under(BUILTIN, 16, 4.1e-4), under(BUILTIN, 64, 7e-4), under(BUILTIN, 256, 4e-3), under(BUILTIN, 1024, 4.1e-2)],
)


def grown(symbol: str, constant: float, coefficient: float, exponent: float, per_unit: float) -> list[GrowthPoint]:
    wobble = (1.0, 1.03, 0.98, 1.01, 1.02, 0.99)
    return [
        GrowthPoint(
            size := 4 * 2**i,
            (constant + coefficient * size**exponent) * wobble[i % 6],
            30_000 + 48 * size**2 if symbol == "L" else 9_000 * size,
            12 * size**2 if symbol == "L" else 4_000 * size,
            int(15 + per_unit * size),
        )
        for i in range(9)
    ]


ALONG_L = Growth(
    "L", grown("L", 1e-3, 1.1e-7, 1.97, 0), [
        Law("time", 1.97, 0.05, 1.0e-3, 1.1e-7, 64),
        Law("peak memory", 2.0, 0.001, 30_000, 48, 8),
        Law("saved bytes", 2.0, 0.0, 0.0, 12, 4),
        Law("operators", 0.0, 0.0, 15, 0.0, 4),
    ],
    "time of one step over the budget", {"N": 8}, [], BUILTIN, grown("L", 3e-4, 4.5e-8, 1.95, 0), [
        Law("time", 1.95, 0.08, 3e-4, 4.5e-8, 64, "L log L"),
        Law("peak memory", 2.0, 0.001, 30_000, 48, 8),
    ],
)  # fmt: skip
ALONG_N = Growth(
    "N", grown("N", 6e-5, 1.6e-4, 1.0, 7), [
        Law("time", 1.0, 0.02, 6e-5, 1.6e-4, 4),
        Law("peak memory", 1.0, 0.0, 0.0, 9_000, 4),
        Law("operators", 1.0, 0.0, 15, 7, 4),
    ],
    "memory budget", {"L": 16}, [LineGrowth(LOOP, 7.0)], BUILTIN, grown("N", 2e-4, 1.5e-5, 0.9, 0), [
        Law("time", 0.9, 0.11, 2e-4, 1.5e-5, 16),
        Law("operators", 0.0, 0.0, 15, 0.0, 4),
    ],
)  # fmt: skip

ADVICE = [
    Advice("loop", "the loop over the batch costs 86% of a step; operators grow as 7·N", LOOP, 0.86, {"share": 0.86}),
    Advice("built-in", f"{BUILTIN} is 3.1 times faster (2.9 to 3.3) and takes 1.5 times less memory", None, 0.68),
    Advice("copy", "this .contiguous() copies 32 KiB at every call", COPY, 0.02),
]

BASELINE = BaselineComparison(
    "main", "2026-11-20",
    [
        Change("forward, as a multiple of the reference's", 3.6, 3.2, Ratio(0.89, 0.8, 0.97)),
        Change("peak memory", 800 * KIB, 910 * KIB, Ratio(1.14, 1.14, 1.14), "B"),
        Change("step", 4.3e-3, 4.2e-3, Ratio(0.98, 0.95, 1.01), "s"),
    ],
    ["it was saved on another machine: 8 threads then, 2 now"],
)  # fmt: skip

MEASURED = Measurements(
    profile=PROFILE,
    reference=REFERENCE,
    forward_ratio=Ratio(3.2, 3.0, 3.4),
    backward_ratio=Ratio(3.09, 2.95, 3.21),
    step_ratio=Ratio(3.11, 2.94, 3.3),
    roofline=ROOFLINE,
    growth=[ALONG_L, ALONG_N],
    compiled=Compiled(12.3, Ratio(0.4, 0.38, 0.42), Ratio(0.99, 0.96, 1.02)),
    advice=ADVICE,
    baseline=BASELINE,
    trace="LoopAttention.trace.json.gz",
)

BUDGET = CheckOutcome("performance-budget", "skipped", "no budget is given")
PROFILED = Audit(OWN, "passed", checks=[BUDGET], measurements=MEASURED)
