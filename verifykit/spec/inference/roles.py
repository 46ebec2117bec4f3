"""What to feed beside a first argument of some shape: the ways that names and kinds of arguments suggest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import nn

from verifykit.spec.dims import Dim
from verifykit.spec.domain import Below, Boolean, Interval, Real, Simplex
from verifykit.spec.inference.names import Claim, role_of
from verifykit.spec.inference.trying import Caller, Entries
from verifykit.spec.model import InputSpec

BATCH, LENGTH, FEATURES, HEIGHT, WIDTH = "N", "L", "D", "H", "W"


def completions(
    arguments: Sequence[str], shape: tuple[Dim, ...], fixed: Mapping[str, InputSpec], call: Caller, claim: Claim
) -> Iterator[Entries]:
    """The first argument with this shape, the others in the ways that their names suggest, in step with one another."""
    first = arguments[0]
    options = {
        name: [fixed[name]] if name in fixed else list(_options(name, shape, name == first, call, claim))
        for name in arguments
    }
    longest = max(len(ways) for ways in options.values())
    for step in range(longest):
        yield tuple(options[name][min(step, len(options[name]) - 1)] for name in arguments)
    if len(arguments) > 2:  # one argument at a time in another way
        for name in arguments[1:]:
            for way in options[name][1:]:
                yield tuple(way if other == name else options[other][0] for other in arguments)


def _options(name: str, shape: tuple[Dim, ...], is_first: bool, call: Caller, claim: Claim) -> Iterator[InputSpec]:
    role = role_of(name)
    real = InputSpec(name, "float", shape, Real())
    tokens = InputSpec(name, "long", shape[:2], Below(_vocabulary(call)))
    if is_first:
        if role == "tokens" or any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in call.module.modules()):
            yield tokens
            yield replace(tokens, shape=(BATCH,))
        yield real
        if claim.is_loss or role == "probability":
            yield replace(real, domain=Interval(0.0, 1.0, False, False))
        yield tokens
        yield replace(real, domain=Interval(0.0, 1.0, False, False))
        yield InputSpec(name, "complex", shape, Real())
        yield InputSpec(name, "bool", shape, Boolean())
        return
    labels = [
        InputSpec(name, "long", (*shape[:1], *shape[2:]), Below(shape[1] if len(shape) > 1 else 2)),
        InputSpec(name, "long", shape[:1], Below(shape[-1] if len(shape) > 1 else 2)),
        InputSpec(name, "long", shape, Below(2)),
    ]
    same = [real, replace(real, domain=Interval(0.0, 1.0, False, False))]
    smaller = [replace(real, shape=shape[:-1]), replace(real, shape=shape[:1])]
    match role:
        case "labels":
            yield from (*labels, *same, *smaller)
        case "target":
            yield from (*labels, *same, *smaller) if claim.wants_labels else (*same, *labels, *smaller)
        case "mask":
            yield from (
                InputSpec(name, "bool", shape[:-1], Boolean()),
                InputSpec(name, "bool", (*shape[:-1], shape[-2] if len(shape) > 1 else LENGTH), Boolean()),
                InputSpec(name, "bool", shape, Boolean()),
                *same,
            )
        case "lengths":
            yield InputSpec(name, "long", shape[:1], Interval(1, 3, True, True))
        case "tokens":
            yield from (
                InputSpec(name, "long", shape[:1], Below(_vocabulary(call))),
                tokens,
                replace(tokens, shape=shape),
                InputSpec(name, "long", (2, "E"), Below(BATCH)),
                replace(real, shape=shape[:1]),
            )
        case "positive" | "probability":
            yield from (replace(real, domain=Interval(0.0, 1.0, False, False)), *same)
        case _:
            yield from (*same, *labels, *smaller)
            if len(shape) == 3:
                yield replace(real, shape=(shape[0], "S", shape[2]))
    yield replace(real, domain=Simplex())


def _vocabulary(call: Caller) -> Dim:
    sizes = [m.num_embeddings for m in call.module.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    if not sizes:
        return 2
    named = [name for name, value in call.init.items() if type(value) is int and value == sizes[0]]
    return named[0] if len(named) == 1 else int(sizes[0])
