"""How large the values of a curve are and how finely they are rounded: what is large or small is judged by these."""

from dataclasses import dataclass

import numpy as np

from verifykit.identify.curve.scalar import Array, Function

EPS = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Scale:
    """``typical`` is what values near zero differ by, ``grain`` the relative rounding of the values: that of double
    precision, or of single for a function that computes in it.
    """

    typical: float
    grain: float = EPS

    @property
    def reach(self) -> float:
        """The relative step at which a difference quotient has the least error."""
        return max(1e-5, float(np.cbrt(self.grain)))

    def noise(self, y: Array) -> Array:
        """What neighbours of ``y``, one element each, differ by through rounding alone."""
        return 32 * self.grain * np.abs(y) + 4 * self.grain * self.typical


def scale_of(f: Function, x: Array, y: Array) -> Scale:
    """Return the scale of ``f``, which has the finite values ``y`` at ``x``."""
    near = np.abs(x) <= 4 if (np.abs(x) <= 4).any() else np.isfinite(x)
    spread = float(np.median(np.abs(y[near] - np.median(y[near]))))
    typical = spread or float(np.ptp(y[near])) or float(np.abs(y[near]).max()) or 1.0
    return Scale(typical, SINGLE if _is_single(f, x[near], y[near]) else EPS)


def _is_single(f: Function, x: Array, y: Array) -> bool:
    """Whether most values that change on a millionth of the way stay the same on a billionth of it."""
    coarse, fine = (f(x + step * np.maximum(1.0, np.abs(x))) for step in (1e-6, 1e-9))
    moving = np.abs(coarse - y) > 1e-12 * np.abs(y)
    return bool(moving.sum() > 16 and (fine == y)[moving].mean() > 0.5)
