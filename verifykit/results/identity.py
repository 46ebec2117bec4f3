"""Which known operation a target is, as plain data."""

from typing import Any, Literal

import msgspec

Relation = Literal["identical", "identical up to", "close", "none"]


class Likeness(msgspec.Struct, frozen=True):
    """How a target relates to another operation, ``name`` as one would write it: ``torch.nn.Linear(6, 4)``.

    ``up_to`` says what differs and leaves it the same function (a transposed weight, a factor, the initialisation),
    ``deviations`` what makes another function of it. ``domain`` is over what that was tested, at ``examples`` points;
    ``worst`` the greatest error seen there, relative to the greatest value. ``notes`` say what was seen beyond: at
    NaN, at a kink, at sizes that one of them does not take.
    """

    relation: Relation
    name: str
    up_to: list[str] = []
    deviations: list[str] = []
    notes: list[str] = []
    domain: str = ""
    examples: int = 0
    worst: float | None = None
    evidence: dict[str, Any] = {}


class Term(msgspec.Struct, frozen=True):
    """One term of a loss: ``coefficient`` times what ``text`` says; ``exact`` where that is a simple number."""

    coefficient: float
    text: str
    exact: bool = True


class Decomposition(msgspec.Struct, frozen=True):
    """A loss as a sum of known terms, ``unexplained`` the share of its variance over drawn inputs that is left."""

    terms: list[Term]
    unexplained: float
    examples: int
    worst: float
    domain: str = ""

    @property
    def text(self) -> str:
        """The sum in one line."""
        known = [f"{term.coefficient:.6g}·{term.text}" for term in self.terms]
        return " + ".join([*known, *(["something else"] if self.unexplained else [])]).replace("+ -", "- ")


class Break(msgspec.Struct, frozen=True):
    """Where a curve is not smooth: ``size`` is the jump of the value, or of the slope at a kink, infinite at a pole and
    where the slope is. ``before`` and ``after`` are what jumps, on either side of ``at``; ``value`` is the value there.
    """

    at: float
    kind: Literal["kink", "jump", "pole"]
    size: float
    before: float = 0.0
    after: float = 0.0
    value: float = 0.0


class Curve(msgspec.Struct, frozen=True):
    """An elementwise function of one real number: ``pieces`` are (from, to, rising, falling or constant);
    ``points`` are (x, y) pairs for a chart, those of the nearest built-in, ``nearest``, beside them.

    ``domain`` lists the intervals in which it is finite, ``least`` and ``greatest`` bound its values, ``None`` where
    nothing does; ``lipschitz`` is ``None`` where no constant is. Of many breaks and pieces those nearest zero are
    listed: ``more_breaks`` and ``more_pieces`` count what else was seen. ``chart`` is the name of the picture written
    beside the report.
    """

    at_zero: float
    at_minus_infinity: str
    at_infinity: str
    pieces: list[tuple[float, float, str]]
    breaks: list[Break]
    lipschitz: float | None
    points: list[tuple[float, float]]
    nearest: str | None = None
    nearest_points: list[tuple[float, float]] = []
    domain: list[tuple[float, float]] = []
    least: float | None = None
    greatest: float | None = None
    more_breaks: int = 0
    more_pieces: int = 0
    chart: str | None = None


class Identity(msgspec.Struct, frozen=True):
    """Which known operation a target is, what a loss is made of, what an activation looks like.

    ``suggestion`` says, with figures, what to use instead.
    """

    likeness: Likeness | None = None
    decomposition: Decomposition | None = None
    curve: Curve | None = None
    suggestion: str | None = None
