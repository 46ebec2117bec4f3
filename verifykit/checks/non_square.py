"""non-square: rows and columns of unequal number are neither swapped nor scrambled."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import product

import torch
from torch import Tensor

from verifykit.checks.registry import Skip, check
from verifykit.experiments.observation import Batch, batch_of, outputs_of
from verifykit.experiments.shapes.contract import evidence_of
from verifykit.experiments.shapes.influence import Place, influence, is_batched
from verifykit.experiments.shapes.patterns import WHOLE, Fill, Pattern, fill_of
from verifykit.experiments.shapes.planes import Plane, planes_of, takes, untied
from verifykit.experiments.shapes.refusals import complaint, is_own_words
from verifykit.results import Finding, OutputFacts, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.dims import symbols
from verifykit.spec.outputs import learn_outputs, observe
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

# Positions of a plane that are tried one call each, where samples do not tell them apart in one.
MOST_POSITIONS = 40
# Operations on images.
SPATIAL = ("2d", "3d", "interpolate", "grid_sample", "pixel_shuffle", "unfold")


@check("non-square", family="shape", requires=("determinism", "shape-contract"))
def non_square(subject: Subject) -> Iterator[Finding | Verified]:
    """Inputs with unequal height and width are treated as square ones are: nothing is swapped or scrambled.

    What:
        For two dimensions of an input, finds which positions have influence on which positions of the outputs, on
        squares and on rectangles. Where on squares rows act on rows and columns on columns, and on rectangles all is
        mixed up, a reshape stands where a transpose belongs, or swaps height and width. An output that has the size
        of the width in a dimension which follows the height is found likewise. A plane all of one value that gives
        the same on squares of every size, and something else on rectangles, is a warning.

    Why it matters:
        On square images, the only ones in most tests, such code is right. On others it computes nonsense of the right
        shape, and a network trains on it all the same.

    Wrong:
        def forward(self, x):
            b, c, w, h = x.shape  # height and width swapped
            return self.mix(x.flatten(2)).view(b, c, h, w)

    Right:
        def forward(self, x):
            b, c, h, w = x.shape
            return self.mix(x.flatten(2)).view(b, c, h, w)

    When to ignore:
        When rectangles are never fed, and the module refuses them.
    """
    tied = _tied(subject)
    if tied is not None:
        subject, refused = tied
        if refused is not None:
            yield refused
            return
    outputs = learn_outputs(subject)
    batch = batch_of(subject)
    found = [plane for plane in planes_of(subject, batch) if plane.squares]
    if not outputs or not found:
        raise Skip("no input has two dimensions besides that of the batch, one of them symbolic at least")
    apart = 0
    for plane in found:
        patterns = list(_patterns(subject, batch, outputs, plane))
        finding = next(filter(None, (_accused(subject, plane, pattern) for pattern in patterns)), None)
        finding = finding or _constant(subject, outputs, plane)
        if finding is not None:
            yield finding
            return
        apart += sum(fill.best >= WHOLE for pattern in patterns for fill in pattern.rectangles)
        yield Verified(f"{plane}: unequal sizes are taken as equal ones are", len(plane.rectangles))
    if apart:
        yield Verified("rows and columns keep apart on rectangles", apart)


def _tied(subject: Subject) -> tuple[Subject, Finding | None] | None:
    """Where inference has found one symbol for two dimensions of an image: the subject with two, or that only squares
    are taken, if it is so.
    """
    free = untied(subject)
    if free is None:
        return None
    plane = next(iter(planes_of(free, batch_of(subject))), None)
    if plane is None:
        return None
    # Not any square, or not the usual sizes: made for some sizes only.
    needed = [{}] if plane.rectangles else [plane.sizes(size, size) for size in (6, 8)]
    if not all(takes(free, {**free.spec.usual_sizes, **sizes}) for sizes in needed):
        return None
    if plane.rectangles:
        return free, None
    sizes = {**free.spec.usual_sizes, **plane.sizes(6, 8)}
    try:
        observe(free, sizes)
    except Exception as error:
        used = {step.name.rpartition(".")[2] for step in trace(lambda: observe(subject, subject.spec.usual_sizes))}
        is_image = any(name.endswith(SPATIAL) for name in used)
        return free, Finding(
            f"it takes squares only: at {plane.rows} = 6, {plane.columns} = 8 it raises{complaint(error)}",
            "warning" if is_image and not is_own_words(error) else "note",
            evidence_of(free, sizes),
            raised_location(error),
        )
    return free, None


def _patterns(subject: Subject, batch: Batch | None, outputs: list[OutputFacts], plane: Plane) -> Iterator[Pattern]:
    """How the influence of the plane on each output that follows its sizes is spread."""
    place = Place(plane.index, plane.axes)
    together = is_batched(subject, batch, place)
    kept = [_kept(output, plane, batch.outputs[n] if batch and together else None) for n, output in enumerate(outputs)]
    if not any(kept) or not (together or plane.positions <= MOST_POSITIONS):
        return
    module = subject.build()
    fills: dict[bool, list[list[Fill | None]]] = {True: [], False: []}
    for rows, columns in (*plane.squares, *plane.rectangles):
        sizes = {**subject.spec.usual_sizes, **plane.sizes(rows, columns)}
        marks = influence(subject, module, batch, sizes, place, list(product(range(rows), range(columns))))
        fills[rows == columns].append(
            [
                fill_of(mark.reshape(rows, columns, *mark.shape[1:]), list(axes))
                for mark, axes in zip(marks, kept, strict=True)
            ]
        )
    for number, axes in enumerate(kept):
        squares, rectangles = ([fill[number] for fill in fills[equal]] for equal in (True, False))
        if axes and all(squares) and all(rectangles):
            yield Pattern(number, axes, [f for f in squares if f], [f for f in rectangles if f])


def _kept(output: OutputFacts, plane: Plane, gone: int | None) -> dict[int, str]:
    """The output dimensions, numbered without that of the batch, that follow one side of the plane, and which side."""
    sides = [side for side in (plane.rows, plane.columns) if isinstance(side, str)]
    own = {
        axis - (gone is not None and axis > gone): symbols(dim)[0]
        for axis, dim in enumerate(output.shape)
        if axis != gone and dim != "?" and len(symbols(dim)) == 1 and symbols(dim)[0] in sides
    }
    return own if len(own) <= 2 else {}


def _accused(subject: Subject, plane: Plane, pattern: Pattern) -> Finding | None:
    name = "the output" if pattern.output == 0 else f"output {pattern.output}"
    fed = subject.input_names[plane.index]
    evidence = {
        "input": fed,
        "squares": [f"{a}x{b}" for a, b in plane.squares],
        "share of a row-by-column pattern, squares": [round(fill.best, 3) for fill in pattern.squares],
        "rectangles": [f"{a}x{b}" for a, b in plane.rectangles],
        "share of a row-by-column pattern, rectangles": [round(fill.best, 3) for fill in pattern.rectangles],
    }
    if pattern.is_scrambled:
        a, b = plane.rectangles[0]
        return Finding(
            f"where {plane} differ, {name} mixes positions of {fed} that it keeps apart where they are equal: "
            f"at {a}x{b} the influence of rows and of columns is no longer separate, as after a reshape that swaps "
            "them",
            "error" if plane.is_free else "warning",
            evidence,
        )
    sides = list(pattern.axes.values())
    if not plane.is_free or len(sides) < 2:
        return None
    if set(sides) == {plane.rows, plane.columns}:
        straight = sides[0] == plane.rows
        if pattern.follows(straight=not straight) and not pattern.may_follow(straight=straight):
            return Finding(
                f"{name} has the size of {sides[0]} along the dimension that follows the positions of {sides[1]}, "
                "and the other way round: two sizes are swapped",
                "error",
                evidence,
            )
    elif pattern.follows(straight=True) and not pattern.may_follow(straight=False):
        return Finding(
            f"{name} has the size of {sides[0]} along both dimensions, and one of them follows the other side of "
            f"the plane {plane}",
            "warning",
            evidence,
        )
    return None


def _constant(subject: Subject, outputs: list[OutputFacts], plane: Plane) -> Finding | None:
    """Whether a plane all of one value gives one and the same on squares of any size, and else on rectangles."""
    own = {plane.rows, plane.columns}
    if not plane.is_free or any(
        own & set(entry.symbols) for n, entry in enumerate(subject.spec.inputs) if n != plane.index
    ):
        return None
    first = subject.draw()
    corner = first[plane.index]
    for axis in plane.axes:
        corner = corner.narrow(axis, 0, 1)
    module = subject.build()

    def summary(rows: int, columns: int) -> list[Tensor | None]:
        shape = list(corner.shape)
        shape[plane.axes[0]], shape[plane.axes[1]] = rows, columns
        fed = [*first[: plane.index], corner.expand(shape).contiguous(), *first[plane.index + 1 :]]
        given = outputs_of(subject, module, fed).values()
        return [_without(value, output, own) for value, output in zip(given, outputs, strict=True)]

    squares, rectangles = ([summary(*size) for size in sizes] for sizes in (plane.squares, plane.rectangles))
    for number in range(len(outputs)):
        same, others = ([given[number] for given in sizes] for sizes in (squares, rectangles))
        values = [value for value in (*same, *others) if value is not None]
        if len(values) < len(same) + len(others) or any(value.shape != values[0].shape for value in values):
            continue
        # Rounding of sums over the plane, in double precision, with room for what a normalisation makes of it.
        bound = 1e-9 * max(float(value.abs().max()) for value in (*values, corner))
        gaps = [float((value - values[0]).abs().max()) for value in values]
        if all(gap <= bound for gap in gaps[: len(same)]) and any(gap > bound for gap in gaps[len(same) :]):
            worst = max(range(len(others)), key=lambda n: gaps[len(same) + n])
            (a, b), at = plane.rectangles[worst], gaps[len(same) + worst]
            return Finding(
                f"where {subject.input_names[plane.index]} has one value all over {plane}, output {number} is the same "
                f"on squares of every size, and differs by {at:.3g} at {a}x{b}: one side seems to count for both",
                "warning",
                {"difference": at, "tolerance": bound, "squares": list(plane.squares), "rectangle": [a, b]},
            )
    return None


def _without(value: Tensor, output: OutputFacts, sides: AbstractSet[object]) -> Tensor | None:
    """An output without the dimensions that follow ``sides``, if it is the same all along them."""
    if not value.is_floating_point() or not value.isfinite().all() or value.numel() == 0:
        return None
    for axis in reversed(range(value.ndim)):
        dim = output.shape[axis]
        if dim == "?" or sides & set(symbols(dim)):
            if not torch.allclose(value.amax(axis), value.amin(axis), rtol=1e-9, atol=1e-12):
                return None
            value = value.select(axis, 0)
    return value
