"""What to feed beside a first argument of some shape: the ways that names and kinds of arguments suggest."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from torch import nn

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below, Boolean, Interval, OneOf, Real, Simplex
from verifykit.spec.inference.names import Claim, role_of
from verifykit.spec.inference.trying import Caller, Entries
from verifykit.spec.model import InputSpec

BATCH, LENGTH, FEATURES, HEIGHT, WIDTH, EDGES = "N", "L", "D", "H", "W", "E"


# Ways tried for one shape of the first argument.
WAYS = 40


def completions(
    arguments: Sequence[str],
    shape: tuple[Dim, ...],
    fixed: Mapping[str, InputSpec],
    call: Caller,
    claim: Claim,
    *,
    odd: bool = False,
) -> Iterator[Entries]:
    """The first argument with this shape, the others in the ways that their names suggest, the likeliest first;
    ``odd`` gives the first argument kinds that few modules take.
    """
    name, *others = arguments
    plain, unusual = _first(name, shape, call, claim)
    firsts = [fixed[name]] if name in fixed else unusual if odd else plain
    options = [[fixed[n]] if n in fixed else list(_other(n, shape, call, claim)) for n in others]
    for first in firsts:
        yield from ((first, *ways) for ways in islice(_combined(options), WAYS))


def _combined(options: Sequence[Sequence[InputSpec]]) -> Iterator[tuple[InputSpec, ...]]:
    """All in step, then one at a time in another way, then a few at once."""
    steps = [tuple(min(step, len(ways) - 1) for ways in options) for step in range(max(map(len, options), default=1))]
    for index, ways in enumerate(options):
        steps += [tuple(way if other == index else 0 for other in range(len(options))) for way in range(1, len(ways))]
    few = [range(min(len(ways), 5)) for ways in options[:3]]
    rest = tuple(0 for _ in options[3:])
    steps += [(*picked, *rest) for picked in sorted(product(*few), key=sum)]
    for picked in dict.fromkeys(steps):
        yield tuple(ways[index] for ways, index in zip(options, picked, strict=True))


def _first(name: str, shape: tuple[Dim, ...], call: Caller, claim: Claim) -> tuple[list[InputSpec], list[InputSpec]]:
    """What the first argument is likely to be, and what it might be."""
    real = InputSpec(name, "float", shape, Real())
    unit = replace(real, domain=Interval(0.0, 1.0, False, False))
    tokens = InputSpec(name, "long", shape[:2], Below(_vocabulary(call)))
    integers = [tokens, replace(tokens, shape=(BATCH,))]
    odd = [InputSpec(name, "complex", shape, Real()), InputSpec(name, "bool", shape, Boolean())]
    embeds = any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in call.module.modules())
    if role_of(name) == "tokens" or embeds:
        return [*integers, real], [unit, *odd]
    if claim.is_loss or role_of(name) == "probability":
        return [real, unit], [*integers, *odd]
    return [real], [unit, *integers, *odd]


def _other(name: str, shape: tuple[Dim, ...], call: Caller, claim: Claim) -> Iterator[InputSpec]:
    role = role_of(name)
    real = InputSpec(name, "float", shape, Real())
    unit = replace(real, domain=Interval(0.0, 1.0, False, False))
    tokens = InputSpec(name, "long", shape[:2], Below(_vocabulary(call)))
    labels = [
        *(InputSpec(name, "long", shape[:1], Below(kinds)) for kinds in _kinds(call)),
        InputSpec(name, "long", (*shape[:1], *shape[2:]), Below(shape[1] if len(shape) > 1 else 2)),
        InputSpec(name, "long", shape[:1], Below(shape[-1] if len(shape) > 1 else 2)),
        InputSpec(name, "long", shape, Below(2)),
    ]
    smaller = [replace(real, shape=shape[:-1]), replace(real, shape=shape[:1])]
    if claim.wants_signs and role in ("labels", "target"):
        signs = replace(real, domain=OneOf((-1.0, 1.0)))
        yield from (signs, replace(signs, shape=shape[:1]))
    if claim.wants_masks and role in ("labels", "target"):
        yield replace(real, domain=OneOf((0.0, 1.0)))
    match role:
        case "labels":
            yield from (*labels, real, unit, *smaller)
        case "target":
            yield from (*labels, real, unit, *smaller) if claim.wants_labels else (real, unit, *labels, *smaller)
        case "mask":
            yield InputSpec(name, "bool", shape[:-1], Boolean())
            yield InputSpec(name, "bool", (*shape[:-1], shape[-2] if len(shape) > 1 else LENGTH), Boolean())
            yield from (InputSpec(name, "bool", shape, Boolean()), real, unit)
        case "lengths":
            yield InputSpec(name, "long", shape[:1], Interval(1, 3, True, True))
        case "edges":
            yield InputSpec(name, "long", (2, EDGES), Below(shape[0] if shape else BATCH))
        case "adjacency":
            nodes = shape[:-1] if len(shape) > 1 else shape
            yield replace(real, shape=(*nodes, *nodes[-1:]), domain=OneOf((0.0, 1.0)))
            yield replace(real, shape=(*nodes, *nodes[-1:]))
        case "edge_values":
            yield replace(real, shape=(EDGES,))
            yield replace(real, shape=(EDGES, *shape[1:]))
            yield InputSpec(name, "long", (EDGES,), Below(2))
        case "tokens":
            yield InputSpec(name, "long", shape[:1], Below(_vocabulary(call)))
            yield from (tokens, replace(tokens, shape=shape), replace(real, shape=shape[:1]))
        case "positive" | "probability":
            yield from (unit, real)
        case _:
            yield real
            if len(shape) == 3:
                yield replace(real, shape=(shape[0], "S", shape[2]))
            for width in (n for n, v in call.init.items() if type(v) is int and v > 1 and shape and n != shape[-1]):
                yield replace(real, shape=(*shape[:-1], width))
            yield from (replace(real, shape=(*shape[:1], 1)), unit, *labels, *smaller)
    yield replace(real, domain=Simplex())


def _kinds(call: Caller) -> list[Dim]:
    """Constructor arguments that count kinds of things, which labels are then below."""
    return [
        name
        for name, v in call.init.items()
        if type(v) is int and v > 1 and re.search("class|label|categor|type", name)
    ]


def _vocabulary(call: Caller) -> Dim:
    sizes = [m.num_embeddings for m in call.module.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    if not sizes:
        return 2
    named = [name for name, value in call.init.items() if type(value) is int and value == sizes[0]]
    return named[0] if len(named) == 1 else int(sizes[0])
