"""memory-growth: no intermediate tensor grows with the square of a size that the result is linear in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.behaviour.scaling import Series, series
from verifykit.results import Finding, Location, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import OperatorMode, user_line

# A first size and its double and quadruple, which fix a quadratic law, and its triple, which must follow that.
CHOICES = [(16, 32, 64, 48), (18, 36, 72, 54), (20, 40, 80, 60)]
# The smallest thing that has a row and a column for each unit of the size: a boolean mask of one byte an element.
SMALLEST = 0.9
# Whole numbers of bytes follow a quadratic law exactly; padding to a block of some elements departs by less.
DEPARTURE = 0.02

Place = tuple[str, Location | None]


@dataclass
class _Largest(OperatorMode):
    """Notes the largest tensor that each line makes by each operator, bytes and shape, and counts FLOPs."""

    made: dict[Place, tuple[int, list[int]]] = field(default_factory=dict)
    flops: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.flops += int(flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=result))
        if not func.is_view:
            place = (str(func._schema.name).rpartition("::")[2], user_line())
            for tensor in tree_leaves(result):
                if isinstance(tensor, Tensor):
                    size = tensor.numel() * tensor.element_size()
                    if size > self.made.get(place, (-1, []))[0]:
                        self.made[place] = (size, list(tensor.shape))
        return result


@dataclass(frozen=True)
class Use:
    """What one call takes: bytes of the largest tensor by place, of the inputs and outputs, and FLOPs."""

    made: dict[Place, tuple[int, list[int]]]
    outside: int
    flops: int


@check("memory-growth", family="smells", severity="warning")
def memory_growth(subject: Subject) -> Iterator[Finding | Verified]:
    """No intermediate tensor grows with the square of a size in which result and FLOPs are linear.

    What:
        Calls the module at a series of sizes of each symbolic dimension and notes the largest tensor that each line
        makes. Where that follows a law with a square in it, and neither inputs, outputs nor FLOPs (of products and
        convolutions) do, names the line. Attention, whose work is quadratic, is none of this.

    Why it matters:
        What fits at 64 samples is 256 times as large at 1024: the batch or the length hits a wall of memory.

    Wrong:
        def forward(self, x, scale):
            return (x[:, None] * torch.eye(len(x))[:, :, None]).sum(1) * scale

    Right:
        def forward(self, x, scale):
            return x * scale

    When to ignore:
        When all pairs are the point, as in some ranking losses, and the size stays small.
    """
    if not subject.spec.free:
        raise Skip("no input has a symbolic dimension; write one as a name, such as float[N, 5]")
    looked = []
    for found in series(subject, CHOICES, partial(_use, subject)):
        looked.append(found.symbol)
        finding = _finding(found)
        if finding is not None:
            yield finding
    if not looked:
        raise Inconclusive("no series of larger sizes was accepted and soon computed")
    yield Verified(f"the largest tensor of each line as {', '.join(looked)} grows", len(looked) * len(CHOICES[0]))


def _use(subject: Subject, sizes: dict[str, int]) -> Use:
    module, inputs = subject.build(torch.float32), subject.draw(sizes, torch.float32)
    given = [t.clone() for t in inputs]
    with torch.no_grad(), seeded(subject.seed), _Largest() as largest:
        outputs = named_tensors(subject.call(module, given))
    outside = sum(t.numel() * t.element_size() for t in [*inputs, *outputs.values()])
    return Use(largest.made, outside, largest.flops)


def _square(found: Series, values: list[int]) -> float:
    """The coefficient of the square in the law of ``values`` (exact for a law of second degree), 0 where none fits."""
    first, second, fourth, third = values
    unit = found.sizes[0]
    square = (fourth - 3 * second + 2 * first) / (6 * unit**2)
    linear = (second - first) / unit - 3 * square * unit
    predicted = first + linear * 2 * unit + square * 8 * unit**2
    return square if abs(predicted - third) <= DEPARTURE * max(third, 1) else 0.0


def _finding(found: Series) -> Finding | None:
    uses: tuple[Use, ...] = found.seen
    if _square(found, [use.outside for use in uses]) > 0:
        return None
    is_work = abs(_square(found, [use.flops for use in uses])) > 0
    worst: tuple[float, Place] | None = None
    for place in uses[0].made:
        if all(place in use.made for use in uses) and not (is_work and place[0] not in ("diag_embed", "diag")):
            square = _square(found, [use.made[place][0] for use in uses])
            if square >= SMALLEST and (worst is None or square > worst[0]):
                worst = (square, place)
    if worst is None:
        return None
    square, place = worst
    shape = uses[2].made[place][1]
    symbol = found.symbol
    return Finding(
        f"a tensor of this line grows as {square:.3g} bytes * {symbol}**2 ({place[0]}: {shape} at {symbol} = "
        f"{found.sizes[2]}), while what goes in and comes out grows as {symbol}",
        None,
        {
            "operator": place[0],
            "bytes": {f"{symbol} = {n}": use.made[place][0] for n, use in zip(found.sizes, uses, strict=True)},
            "inputs and outputs": {f"{symbol} = {n}": use.outside for n, use in zip(found.sizes, uses, strict=True)},
        },
        place[1],
    )
