"""Whether two observations agree to rounding, and what is between them where they do not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.identify.agreement.functions import Observation

# A factor or an offset that was fitted is known to so many units of rounding.
FITTED = 4096
# By how much the ratios of two tensors may differ that differ by one factor.
UNIFORM = 1e-12

Tensors = dict[str, Tensor]
# An evaluation in double precision and one in single, at one point.
Both = Callable[[], tuple[Observation, Observation] | None]


@dataclass(frozen=True)
class Gap:
    """One tensor in which target and candidate differ beyond rounding. ``found`` is ``None`` where their shapes do,
    ``own`` says that the target's own rounding error at this point explains it, ``uniform`` that all elements differ by
    one factor, ``magnitude`` is that of the tensor.
    """

    tensor: str
    text: str
    found: Difference | None = None
    own: bool = False
    magnitude: float = 1.0
    uniform: bool = False

    @property
    def in_value(self) -> bool:
        """Whether outputs or buffers differ, not only gradients."""
        return not self.tensor.startswith(("gradient of", "second gradient of"))

    @property
    def is_finite(self) -> bool:
        """Whether both numbers are finite."""
        return self.found is None or all(
            torch.isfinite(torch.tensor(value)) for value in (self.found.actual, self.found.expected)
        )

    @property
    def element(self) -> str:
        """The tensor with the index of its worst element."""
        return f"{self.tensor}{list(self.found.index) or ''}" if self.found else self.tensor

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers."""
        if self.found is None:
            return {"tensor": self.tensor}
        return {
            "tensor": self.element,
            "actual": self.found.actual,
            "reference": self.found.expected,
            "absolute error": self.found.error,
            "ULP distance": self.found.ulps,
            "tolerance": self.found.tolerance,
        }


class Judge:
    """Compares in one precision. It remembers the greatest magnitude that every tensor had at everyday points: what is
    below the rounding of that is nothing, a gradient that underflows in one of the two.
    """

    def __init__(self, dtype: torch.dtype, *, fitted: bool = False) -> None:
        self.eps = torch.finfo(dtype).eps
        self.dtype = dtype
        self.fitted = fitted
        self.magnitudes: dict[str, float] = {}
        self.worst = 0.0
        self.ulps = 0

    def learn(self, expected: Observation) -> None:
        """Take note of the magnitudes at an everyday point."""
        for name, tensor in expected.tensors.items():
            self.magnitudes[name] = max(self.magnitudes.get(name, 0.0), _greatest(tensor))

    def gaps(self, actual: Observation, expected: Observation, theirs_in_both: Both, ours_in_both: Both) -> list[Gap]:
        """Return where the target's ``actual`` is not the candidate's ``expected``, values before gradients.

        ``theirs_in_both`` and ``ours_in_both`` evaluate candidate and target in both precisions at the same point: that
        shows how much rounding is to be expected of either, and is asked for only where it matters.
        """
        ours, theirs = actual.tensors, expected.tensors
        if actual.second is None or expected.second is None:
            ours, theirs = _but_second(ours), _but_second(theirs)
        gaps: list[Gap] = []
        for name in dict.fromkeys([*ours, *theirs]):
            if name not in ours or name not in theirs:
                if not name.endswith("after the call"):
                    gaps.append(Gap(name, f"only one of the two has {name}"))
                continue
            gaps += self._gaps_of(name, ours[name], theirs[name], theirs_in_both, ours_in_both)
        return sorted(gaps, key=lambda gap: not gap.in_value)

    def _gaps_of(self, name: str, actual: Tensor, expected: Tensor, single: Both, own: Both) -> list[Gap]:
        if actual.shape != expected.shape:
            return [Gap(name, f"{name} has shape {tuple(actual.shape)}, the reference's {tuple(expected.shape)}")]
        if _kind(actual) != _kind(expected):
            text = f"{name} has dtype {actual.dtype}, the reference's {expected.dtype}"
            return [Gap(name, text.replace("torch.", ""))]
        gap = self._gap(name, actual, expected, single, own)
        if gap is None or gap.is_finite:
            return [gap] if gap else []
        # What is infinite in one of the two alone must not hide what differs elsewhere.
        both = actual.isfinite() & expected.isfinite()
        rest = self._gap(name, torch.where(both, actual, 0), torch.where(both, expected, 0), single, own)
        return [gap, rest] if rest else [gap]

    def _gap(self, name: str, actual: Tensor, expected: Tensor, single: Both, own: Both) -> Gap | None:
        inexact = expected.is_floating_point() or expected.is_complex()
        tolerance = self._least(name, expected) if inexact else 0.0
        found = worst_difference(actual, expected, tolerance)
        if found is None:
            return None
        explained = False
        if found.excess > 1 and inexact:
            tolerance += self._seen(name, single)
            found = worst_difference(actual, expected, tolerance)
            assert found is not None
            if found.excess > 1:
                explained = found.error <= tolerance + self._seen(name, own)
        greatest = max(_greatest(expected), self.magnitudes.get(name, 0.0))
        if found.excess <= 1:
            self.worst = max(self.worst, found.error / greatest if greatest else 0.0)
            if not name.startswith(("gradient of", "second gradient of")):
                self.ulps = max(self.ulps, found.ulps or 0)
            return None
        text = f"{name}{list(found.index) or ''} is {number(found.actual)}, the reference's {number(found.expected)}"
        return Gap(name, text, found, explained, greatest or 1.0, _is_uniform(actual, expected))

    def _least(self, name: str, expected: Tensor) -> float:
        units = 32 + (FITTED if self.fitted else 0)
        return units * self.eps * max(_greatest(expected), self.magnitudes.get(name, 0.0))

    def _seen(self, name: str, in_both: Both) -> float:
        """What one of the two is off by through rounding, as its evaluations in two precisions show."""
        observed = in_both()
        double, single = (o.tensors.get(name) for o in observed) if observed else (None, None)
        if double is None or single is None or single.shape != double.shape:
            return 0.0
        return rounding_tolerance(double, single, self.dtype)


def _is_uniform(actual: Tensor, expected: Tensor) -> bool:
    ratios = (actual / expected)[expected != 0]
    same_zeros = bool((actual[expected == 0] == 0).all())
    return same_zeros and ratios.numel() > 0 and bool(((ratios - ratios[0]).abs() < UNIFORM).all())


def number(value: complex) -> str:
    """``value`` in nine digits."""
    return f"{value + 0.0:.9g}"  # no negative zero


def _kind(tensor: Tensor) -> str:
    """The dtype, except that one kind of integer is as good as another."""
    return str(tensor.dtype) if tensor.is_floating_point() or tensor.is_complex() else "exact"


def _greatest(tensor: Tensor) -> float:
    size = (tensor if tensor.is_complex() else tensor.to(torch.float64)).detach().abs()
    finite = size[size.isfinite()]
    return float(finite.max()) if finite.numel() else 0.0


def _but_second(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("second gradient of")}
