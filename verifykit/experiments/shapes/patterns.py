"""Whether rows and columns keep apart: the pattern of influence of a plane of inputs on a plane of outputs."""

from dataclasses import dataclass
from functools import reduce

from torch import Tensor

# A pattern is the product of one of rows and one of columns where it fills at least this share of that product.
WHOLE = 0.999
# ... and is clearly none where it fills less than this.
SCRAMBLED = 0.9


@dataclass(frozen=True)
class Fill:
    """The share that influence fills of the least product of two patterns that holds it: ``straight`` where the first
    output dimension goes with rows and the second with columns, ``crossed`` the other way round.
    """

    straight: float
    crossed: float

    @property
    def best(self) -> float:
        """The greater of the two."""
        return max(self.straight, self.crossed)


@dataclass(frozen=True)
class Pattern:
    """How the influence on one output is spread, on squares and on rectangles; ``axes`` are the output's dimensions
    that follow a side of the plane, with the symbol that they follow.
    """

    output: int
    axes: dict[int, str]
    squares: list[Fill]
    rectangles: list[Fill]

    @property
    def is_scrambled(self) -> bool:
        """Whether rows and columns keep apart on every square, and on no rectangle."""
        return all(fill.best >= WHOLE for fill in self.squares) and all(
            fill.best < SCRAMBLED for fill in self.rectangles
        )

    def follows(self, *, straight: bool) -> bool:
        """Whether on every rectangle the output dimensions go with rows and columns in this order."""
        return all((fill.straight if straight else fill.crossed) >= WHOLE for fill in self.rectangles)

    def may_follow(self, *, straight: bool) -> bool:
        """Whether on some rectangle they nearly do."""
        return any((fill.straight if straight else fill.crossed) >= SCRAMBLED for fill in self.rectangles)


def fill_of(influence: Tensor, kept: list[int]) -> Fill | None:
    """Return how well ``influence``, indexed by row, column and output dimensions, is a product of two patterns, for
    the output dimensions ``kept``; ``None`` where there is no influence at all.
    """
    others = [axis for axis in range(2, influence.ndim) if axis - 2 not in kept]
    seen = reduce(lambda tensor, axis: tensor.any(axis), sorted(others, reverse=True), influence)
    while seen.ndim < 4:
        seen = seen.unsqueeze(-1)
    if not seen.any():
        return None
    return Fill(_share(seen), _share(seen.transpose(0, 1)))


def _share(seen: Tensor) -> float:
    by_row = seen.any(3).any(1)  # row, first output dimension
    by_column = seen.any(2).any(0)  # column, second output dimension
    product = by_row[:, None, :, None] & by_column[None, :, None, :]
    return float(seen.sum() / product.sum())
