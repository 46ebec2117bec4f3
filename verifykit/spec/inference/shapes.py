"""Shapes that the first input of a module may have, the likeliest first."""

import re
from collections.abc import Iterator, Sequence

from torch.nn.parameter import is_lazy

from verifykit.spec.dims import Dim
from verifykit.spec.inference.documented import Documented
from verifykit.spec.inference.names import Claim
from verifykit.spec.inference.roles import BATCH, FEATURES, HEIGHT, LENGTH, WIDTH
from verifykit.spec.inference.trying import Caller

# Fixed sizes that modules without a size of their own ask for: mono, stereo, colours; images that survive halving.
CHANNELS, IMAGES = (3, 1, 2), (32, 64, 224)


def shapes_for(call: Caller, claim: Claim, documented: Sequence[Documented]) -> Iterator[tuple[Dim, ...]]:
    """Yield shapes for the first argument, the likeliest first: a size that the module knows as last or second
    dimension, or none of them.
    """
    widths: list[Dim] = [*known_widths(call), FEATURES]
    shapes: list[tuple[Dim, ...]] = []
    for width in widths:
        shapes += [(BATCH, width), (BATCH, LENGTH, width), (BATCH, width, HEIGHT, WIDTH), (BATCH, width, LENGTH)]
    for width in widths[:3]:
        shapes += [
            (BATCH, width, "T", HEIGHT, WIDTH),
            (width,),
            (BATCH, HEIGHT, WIDTH, width),
            (BATCH, 2, LENGTH, width),
        ]
    for side in _known_sides(call):
        shapes = [*((BATCH, width, side, side) for width in (*widths[:2], *CHANNELS)), *shapes]
    shapes += [(BATCH,), ()]
    shapes += [shape for c in CHANNELS for shape in ((BATCH, c, HEIGHT, WIDTH), (BATCH, c, LENGTH), (BATCH, c))]
    wanted = [told.rank for told in documented] + ([claim.rank] if claim.rank else [])
    shapes.sort(key=lambda shape: wanted.index(len(shape)) if len(shape) in wanted else len(wanted))
    yield from dict.fromkeys(shapes)
    for size in IMAGES:
        yield from ((BATCH, width, size, size) for width in (*widths[:1], *CHANNELS))


def known_widths(call: Caller) -> Iterator[Dim]:
    """Yield sizes that an input may have to have: constructor arguments, inputs first; then what parameters show."""
    integers = {name: value for name, value in call.init.items() if type(value) is int and value > 1}
    weights = [p for p in call.module.parameters() if not is_lazy(p) and p.ndim >= 1]
    shown = [p.shape[1] if p.ndim > 1 else p.shape[0] for p in weights[:3]]

    def likely(name: str) -> tuple[bool, bool]:
        return (not re.match(r"in|.*(model|embed|feature|channel|dim)", name), integers[name] not in shown)

    names = sorted(integers, key=likely)
    odd = [name for name in names if re.search(r"kernel|head|layer|depth|group|factor|class|out|pad", name)]
    yield from (name for name in names if name not in odd)
    covered = set(integers.values())
    yield from dict.fromkeys(int(size) for size in shown if size not in covered and 1 < size <= 2048)
    buffers = [b for b in call.module.buffers() if not is_lazy(b) and b.ndim >= 1 and b.numel() > 1]
    yield from dict.fromkeys(int(b.shape[0]) for b in buffers[:1] if b.shape[0] not in covered)
    yield from (name for name in odd if "class" in name)


def _known_sides(call: Caller) -> Iterator[Dim]:
    """Constructor arguments that say how large an image is."""
    yield from (n for n, v in call.init.items() if type(v) is int and re.search(r"im(g|age)|resolution", n))
