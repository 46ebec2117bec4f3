"""Two dimensions of one input, whose sizes can be made equal and unequal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from verifykit.experiments.observation import Batch
from verifykit.experiments.shapes.contract import MOST_ELEMENTS, elements_of
from verifykit.spec.dims import Dim
from verifykit.spec.domain import Simplex, Sorted
from verifykit.spec.outputs import observe
from verifykit.spec.subject import Subject

# Two sizes to make squares and rectangles of: the first pair that the module takes. Primes first: positions that are
# counted off in groups do not happen to fit into rows of these.
PAIRS = ((5, 7), (3, 5), (6, 10), (8, 12), (16, 24))
# Beside a fixed dimension: how much longer or shorter the symbolic one is made, at two sizes that the module takes.
STEPS = (1, -1, 2, -2, 3, 5)
MOST_PLANES = 3

Sizes = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Plane:
    """Dimensions ``axes`` of input ``index``: a symbol or a fixed size each, one a symbol at least. ``squares`` and
    ``rectangles`` are the sizes that the module takes, none where it takes too few to compare.
    """

    index: int
    axes: tuple[int, int]
    rows: Dim
    columns: Dim
    squares: Sizes = ()
    rectangles: Sizes = ()

    @property
    def is_free(self) -> bool:
        """Whether both sizes are symbolic."""
        return isinstance(self.rows, str) and isinstance(self.columns, str)

    @property
    def positions(self) -> int:
        """How many positions the largest has."""
        return max(rows * columns for rows, columns in (*self.squares, *self.rectangles))

    def sizes(self, rows: int, columns: int) -> dict[str, int]:
        """The sizes of its symbols."""
        pairs = ((self.rows, rows), (self.columns, columns))
        return {dim: size for dim, size in pairs if isinstance(dim, str)}

    def __str__(self) -> str:
        return f"{self.rows} and {self.columns}"


def planes_of(subject: Subject, batch: Batch | None) -> Iterator[Plane]:
    """Yield the planes of the inputs, samples left out, those with two symbolic sizes first; at most three."""
    found = []
    for index, entry in enumerate(subject.spec.inputs):
        if isinstance(entry.domain, Simplex | Sorted):
            continue
        dims = {axis: _known(subject, dim) for axis, dim in enumerate(entry.shape)}
        own = {
            axis: dim
            for axis, dim in dims.items()
            if dim is not None and dim != (batch and batch.symbol) and list(dims.values()).count(dim) == 1
        }
        for one, other in combinations(own, 2):
            if isinstance(own[one], str) or isinstance(own[other], str):
                found.append(Plane(index, (one, other), own[one], own[other]))
    for plane in sorted(found, key=lambda plane: not plane.is_free)[:MOST_PLANES]:
        yield _fed(subject, plane)


def untied(subject: Subject) -> Subject | None:
    """Return the subject with two symbols where inference, which tries square images first, found one symbol or one
    number for the last two dimensions of an input of four or more; ``None`` where there is no such input.
    """
    spec = subject.spec
    for index, entry in enumerate(spec.inputs):
        if len(entry.shape) < 4 or not spec.sources.get(f"inputs.{entry.name}", "").startswith("search"):
            continue
        rows, columns = entry.shape[-2:]
        elsewhere = [dim for other in spec.inputs if other is not entry for dim in other.symbols]
        if rows != columns or rows in elsewhere or rows in entry.shape[:-2] or rows in spec.bound:
            continue
        new = [name for name in ("H", "W", "V", "U") if name not in [*spec.free, *spec.bound]][:2]
        changed = replace(entry, shape=(*entry.shape[:-2], *new))
        inputs = (*spec.inputs[:index], changed, *spec.inputs[index + 1 :])
        return replace(subject, spec=replace(spec, inputs=inputs), _shared={})
    return None


def _known(subject: Subject, dim: Dim) -> Dim | None:
    """A free symbol, or a fixed size of two and more, that of a constructor argument included."""
    if isinstance(dim, str) and dim in subject.spec.free:
        return dim
    size = subject.spec.bound.get(dim) if isinstance(dim, str) else dim
    return size if size is not None and 2 <= size <= 24 else None


def _fed(subject: Subject, plane: Plane) -> Plane:
    if plane.is_free:
        for a, b in PAIRS:
            squares: Sizes = ((a, a), (b, b))
            rectangles: Sizes = ((a, b), (b, a))
            if all(_takes(subject, plane, *size) for size in (*squares, *rectangles)):
                return replace(plane, squares=squares, rectangles=rectangles)
        return plane
    fixed = next(size for size in (plane.rows, plane.columns) if isinstance(size, int))
    others = [fixed + step for step in STEPS if fixed + step > 1]
    sizes = [(fixed, other) if isinstance(plane.rows, int) else (other, fixed) for other in others]
    taken = [size for size in sizes if _takes(subject, plane, *size)][:2]
    if len(taken) == 2 and _takes(subject, plane, fixed, fixed):
        return replace(plane, squares=((fixed, fixed),), rectangles=tuple(taken))
    return plane


def takes(subject: Subject, sizes: Mapping[str, int]) -> bool:
    """Return whether the module takes inputs of these sizes."""
    try:
        observe(subject, sizes)
    except Exception:
        return False
    return True


def _takes(subject: Subject, plane: Plane, rows: int, columns: int) -> bool:
    sizes = {**subject.spec.usual_sizes, **plane.sizes(rows, columns)}
    return elements_of(subject, sizes) * rows * columns <= 10 * MOST_ELEMENTS and takes(subject, sizes)
