"""Learns the law of the output shapes: which expression over the free symbols each output dimension follows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import torch

from verifykit.results import OutputFacts
from verifykit.spec.dims import Dim, evaluate, parse_dim
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

UNKNOWN = "?"

Shapes = list[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Observation:
    """The outputs, dtype and shape each, that a module gave at some sizes of the free symbols."""

    sizes: dict[str, int]
    outputs: Shapes


def observe(subject: Subject, sizes: Mapping[str, int], *, seed: int = 0) -> Observation:
    """Call a fresh module in eval mode at ``sizes``, on values fixed by ``seed``; what it raises passes through."""
    module, inputs = subject.build(), subject.draw(sizes, seed=seed)
    with torch.no_grad(), seeded(subject.seed):
        tensors = named_tensors(subject.call(module, inputs))
    return Observation(dict(sizes), [(_dtype_name(t.dtype), tuple(t.shape)) for t in tensors.values()])


def learn_outputs(subject: Subject) -> list[OutputFacts]:
    """Return one entry per output tensor, each dimension the simplest law that explains every observation.

    The module is called at its usual sizes, with each free symbol varied alone, and with all varied together, always
    on other values, so that a size which follows the values is not taken for a law. Sizes that the module rejects are
    left out. ``"?"`` stands where no law fits; a varying rank or number of outputs gives ``[]``. This
    is learnt once for a subject.
    """
    return subject.once("laws of the outputs", lambda: _learnt(subject))


def _learnt(subject: Subject) -> list[OutputFacts]:
    observations = list(_observations(subject))
    dtypes = [dtype for dtype, _ in observations[0].outputs]
    ranks = [len(shape) for _, shape in observations[0].outputs]
    if any([len(shape) for _, shape in o.outputs] != ranks for o in observations):
        return []
    laws = [
        OutputFacts(dtype, [_law(observations, output, axis) for axis in range(rank)])
        for output, (dtype, rank) in enumerate(zip(dtypes, ranks, strict=True))
    ]
    return _named(subject, laws)


def predict(output: OutputFacts, sizes: Mapping[str, int]) -> list[int | None]:
    """Return the shape that the law of ``output`` gives at ``sizes``, those of constructor arguments included; ``None``
    for a dimension without a law.
    """
    return [None if dim == UNKNOWN else evaluate(dim, sizes) for dim in output.shape]


def _named(subject: Subject, laws: list[OutputFacts]) -> list[OutputFacts]:
    """Replace a fixed size that equals a constructor argument by its name, where it follows when that is changed."""
    for name, value in subject.spec.bound.items():
        if value < 2 or not any(value in law.shape for law in laws):
            continue
        for other in (2 * value, value + 1):
            changed = replace(subject, spec=replace(subject.spec, init={**subject.spec.init, name: other}), _shared={})
            try:
                seen = observe(changed, subject.spec.usual_sizes).outputs
            except Exception:  # not a value for this constructor
                continue
            laws = [
                OutputFacts(
                    law.dtype,
                    [
                        name if dim == value and axis < len(shape) and shape[axis] == other else dim
                        for axis, dim in enumerate(law.shape)
                    ],
                )
                for law, (_, shape) in zip(laws, seen, strict=False)
            ]
            break
    return laws


def _observations(subject: Subject) -> Iterator[Observation]:
    usual = subject.spec.usual_sizes
    yield observe(subject, usual)
    points = [usual, usual]
    points += [{**usual, symbol: usual[symbol] + step} for symbol in usual for step in (1, 2, 4, 7)]
    points.append({symbol: size + 2 * rank + 2 for rank, (symbol, size) in enumerate(usual.items())})
    for seed, sizes in enumerate(points, 1):
        try:
            yield observe(subject, sizes, seed=seed)
        except Exception:  # not a size for this module: the shape check judges that
            continue


def _law(observations: Sequence[Observation], output: int, axis: int) -> Dim:
    seen = [(o.sizes, o.outputs[output][1][axis]) for o in observations]
    for law in (*_simple_laws(*seen[0]), *_compound_laws(*seen[0])):
        if _explained(law, seen) == len(seen):
            return law if isinstance(law, int) else parse_dim(law)
    # A simple law with one exception is a law all the same; the exception is for the shape check to report.
    for law in _simple_laws(*seen[0]):
        if _explained(law, seen) == len(seen) - 1:
            return law if isinstance(law, int) else parse_dim(law)
    return UNKNOWN


def _explained(law: Dim, seen: Sequence[tuple[dict[str, int], int]]) -> int:
    return sum(evaluate(law, sizes) == size for sizes, size in seen)


def _simple_laws(sizes: dict[str, int], first: int) -> Iterator[Dim]:
    """A constant, a symbol, or a multiple of one plus a constant that makes it right at the first observation."""
    yield first
    yield from sizes
    for symbol in sizes:
        for factor in range(1, 9):
            if factor > 1 or first != sizes[symbol]:
                yield _plus(_times(factor, symbol), first - factor * sizes[symbol])


def _compound_laws(sizes: dict[str, int], first: int) -> Iterator[Dim]:
    """Products and sums of symbols, and whole parts of fractions: flattening, concatenation, strides."""
    for one, other in combinations(sizes, 2):
        product = sizes[one] * sizes[other]
        if product and first % product == 0:
            yield _times(first // product, f"{one}*{other}")
        yield _plus(f"{one} + {other}", first - sizes[one] - sizes[other])
    for symbol in sizes:
        for divisor in (2, 3, 4, 5, 8):
            for factor in (1, 2, 3):
                for offset in range(-2 * divisor - 8, 2 * divisor + 9):
                    yield f"({_plus(_times(factor, symbol), offset)}) // {divisor}"
    if len(sizes) > 2:
        everything = "*".join(sizes)
        total = evaluate(everything, sizes)
        if total and first % total == 0:
            yield _times(first // total, everything)


def _times(factor: int, symbol: str) -> str:
    return symbol if factor == 1 else f"{factor}*{symbol}"


def _plus(term: str, constant: int) -> str:
    return term if constant == 0 else f"{term} {'+' if constant > 0 else '-'} {abs(constant)}"


def _dtype_name(dtype: torch.dtype) -> str:
    if dtype.is_complex:
        return "complex"
    if dtype.is_floating_point:
        return "float"
    return "bool" if dtype is torch.bool else "long"
