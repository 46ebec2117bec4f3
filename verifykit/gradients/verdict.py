"""What the engine concludes about a gradient, with the numbers that it rests on."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "match",
    "mismatch",
    "kink",
    "jump",
    "nondeterministic",
    "lost precision",
    "graph cut",
    "not decided",
]


@dataclass(frozen=True)
class Element:
    """One element of a leaf whose gradient is wrong: what autograd says, and what differences say within ``bar``."""

    leaf: str
    index: tuple[int, ...]
    analytic: complex | float
    numerical: complex | float
    bar: float

    @property
    def ratio(self) -> float | None:
        """Analytic over numerical, where that means something."""
        if isinstance(self.analytic, complex) or isinstance(self.numerical, complex) or self.numerical == 0:
            return None
        return self.analytic / self.numerical


@dataclass(frozen=True)
class Mismatch:
    """Where a gradient is wrong: the worst element, how many of those looked at are wrong, in what pattern, and why
    that may be.
    """

    element: Element
    wrong: int
    examined: int
    pattern: str
    cause: str


@dataclass(frozen=True)
class Verdict:
    """The outcome at one point. ``analytic`` is the derivative along a random direction that autograd gives,
    ``numerical`` the one that differences give, within ``bar``; ``scale`` is the size that both are judged by.
    ``elements`` of the Jacobians were compared one by one and agree.
    """

    kind: Kind
    reason: str = ""
    analytic: float = 0.0
    numerical: float = 0.0
    bar: float = 0.0
    scale: float = 0.0
    evaluations: int = 0
    elements: int = 0
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def relative_error(self) -> float:
        """The discrepancy in units of the scale."""
        return abs(self.analytic - self.numerical) / self.scale if self.scale else 0.0

    @property
    def relative_bar(self) -> float:
        """The error bar in units of the scale."""
        return self.bar / self.scale if self.scale else 0.0

    @property
    def is_wrong(self) -> bool:
        """Whether the gradient is wrong beyond doubt."""
        return self.kind in ("mismatch", "graph cut")
