"""quadratic attention memory: tensors that grow with the square of a size in which inputs and outputs are linear."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifykit.profiling.advice.attention import has_attention_weights
from verifykit.profiling.advice.calls import Call, Operator, calls_of
from verifykit.profiling.advice.experiment import Experiment
from verifykit.profiling.advice.words import size as bytes_
from verifykit.profiling.saved import saved_tensors
from verifykit.profiling.workload import Workload, workload
from verifykit.results import Location
from verifykit.results.cost import SavedTensor
from verifykit.results.growth import Growth
from verifykit.results.performance import Advice
from verifykit.spec.randomness import seeded

# By how much a tensor grows, at least, where a size doubles: a square less a constant, such as a token in front.
SQUARE = 3.6
# What grows less than this is linear, give or take a constant.
LINEAR = 2.5
# Share of inputs and outputs, at the largest size looked at, from which the largest such tensor matters.
LARGE = 0.25
# Seconds that one step may take at the sizes looked at.
SLOW = 0.1
_PRODUCTS = ("mm", "bmm", "baddbmm", "addmm")


@dataclass(frozen=True)
class _Made:
    """An operator that makes a tensor which grows as a square, below a call, or that takes one and makes none; and
    which of the tensors that it takes grow so.
    """

    call: Call
    operator: Operator
    given: tuple[bool, ...]

    @property
    def bytes(self) -> int:
        return max(self.operator.made, default=0)


def quadratic_memory(experiment: Experiment, growths: Sequence[Growth], seconds: float) -> Iterator[Advice]:
    """Run at a size and its double along each symbol, and name the line that makes the tensors which grow as a square.

    ``seconds`` is what a step takes at the usual size. What is made and used up inside one function of torch is not
    the user's to change. Where results are quadratic, or products of all pairs that are no attention weights, so
    must be the memory.
    """
    told: set[Location | None] = set()
    for symbol, largest in _sizes(experiment, growths, seconds).items():
        try:
            found = _along(experiment, symbol, largest)
        except Exception:  # sizes that the module refuses
            continue
        if found is not None and found.location not in told:
            told.add(found.location)
            yield found


def _sizes(experiment: Experiment, growths: Sequence[Growth], seconds: float) -> Mapping[str, int]:
    """The larger of the two sizes of each symbol: the largest that is known to be quick."""
    load = experiment.load
    usual = {symbol: 2 * load.sizes[symbol] for symbol in experiment.subject.spec.free if 4 * seconds < SLOW}
    measured = {
        growth.symbol: max(quick)
        for growth in growths
        if growth.symbol in load.sizes
        and (quick := [p.size for p in growth.points if p.seconds < SLOW and p.size > load.sizes[growth.symbol]])
    }
    return {**usual, **measured}


def _along(experiment: Experiment, symbol: str, largest: int) -> Advice | None:
    subject, sizes = experiment.subject, experiment.load.sizes
    loads = [workload(subject, {**sizes, symbol: size}) for size in (largest // 2, largest)]
    with seeded(subject.seed), loads[0].default():
        few, many = (calls_of(load.forward) for load in loads)
    outside = [sum(t.numel() * t.element_size() for t in [*load.inputs, *load.cotangents]) for load in loads]
    pairs = _paired(few, many)
    if pairs is None or outside[1] > LINEAR * outside[0]:
        return None
    made = [
        _Made(call, new, tuple(map(_grows, old.given, new.given)))
        for call, old, new in pairs
        if _grows(max(old.made, default=0), max(new.made)) and call.location is not None
    ]
    if not made or max(one.bytes for one in made) < LARGE * outside[1]:
        return None
    used_up = [
        _Made(call, new, given)
        for call, old, new in pairs
        if new.name in _PRODUCTS
        and any(given := tuple(map(_grows, old.given, new.given)))
        and not _grows(max(old.made), max(new.made))
    ]
    own = {one.call.number for one in made} | {one.call.number for one in used_up}
    if len(own) < 2 and used_up:
        return None
    # The first of three factors is only added.
    scores = {id(one.operator) for one in made if one.operator.name in _PRODUCTS and not any(one.given[-2:])}
    is_attention = has_attention_weights(many, _ids(made), scores, _ids(used_up))
    if scores and not is_attention:
        return None
    return _advice(loads[1], symbol, made, is_attention=is_attention)


def _paired(few: Sequence[Call], many: Sequence[Call]) -> list[tuple[Call, Operator, Operator]] | None:
    """Each operator at both sizes, with the call at the larger; ``None`` where not the same were called."""
    one = [operator for call in few for operator in call.operators]
    other = [(call, operator) for call in many for operator in call.operators]
    if [operator.func for operator in one] != [operator.func for _, operator in other]:
        return None
    return [(call, old, new) for old, (call, new) in zip(one, other, strict=True) if not new.func.is_view and new.made]


def _ids(operators: Sequence[_Made]) -> set[int]:
    return {id(one.operator) for one in operators}


def _grows(few: int, many: int) -> bool:
    return few > 0 and many >= SQUARE * few


def _advice(load: Workload, symbol: str, made: list[_Made], *, is_attention: bool) -> Advice:
    lines = [one.call.location for one in made]
    saved = _saved(load)
    largest = next((tensor for tensor in saved if tensor.location in lines), None)
    worst = max(made, key=lambda one: one.bytes)
    location = largest.location if largest else worst.call.location
    amount, shape = (largest.bytes, largest.shape) if largest else (worst.bytes, list(worst.operator.shapes[0]))
    kept = sum(tensor.bytes for tensor in saved)
    ours = sum(tensor.bytes for tensor in saved if tensor.location in lines)
    share = min(1.0, ours / kept if kept else worst.bytes / sum(one.bytes for one in made))
    line = location.line if location else 0
    there = [one for one in reversed(made) if one.call.location == location]
    maker = max(there, key=lambda one: one.bytes, default=worst).operator.name
    what = f"the attention weights of line {line} grow"
    if not is_attention:
        what = f"the tensor {shape} that {maker.strip('_')} makes at line {line} grows"
    do = "; torch.nn.functional.scaled_dot_product_attention does not keep them" if is_attention else ""
    return Advice(
        "quadratic attention memory" if is_attention else "quadratic memory",
        f"{what} as {symbol}², while inputs and outputs grow as {symbol}: {bytes_(amount)} at "
        f"{symbol} = {load.sizes[symbol]}, {share:.0%} of what is saved for backward{do}",
        location,
        share,
        {
            "symbol": symbol,
            "bytes": amount,
            "shape": shape,
            "lines": sorted({place.line for place in lines if place is not None}),
        },
    )


def _saved(load: Workload) -> list[SavedTensor]:
    try:
        with load.default():
            return saved_tensors(load)
    except Exception:
        return []
