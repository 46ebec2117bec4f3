"""Outputs and gradients at a point in single precision, held against double precision and against what lies around."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor, nn

from verifykit.experiments.numerics.blame import backward_origin, forward_origin
from verifykit.experiments.numerics.points import Point, Ray, Values
from verifykit.experiments.numerics.surroundings import near, single
from verifykit.gradients.function import random_signs
from verifykit.spec.functional import PureCall, pure_call
from verifykit.spec.randomness import seeded
from verifykit.spec.strategies import cast
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import Step

# A result beyond this is about to leave single precision by itself: that it overflows is no fault of the formulation.
MODERATE = 1e30
STEPS = (1e-2, 1e-4, 1e-6)
DIRECTIONS = 4
# Between the steps, what has a pole or a vertical tangent grows by at least (1e4) ** 0.25 = 10, a logarithm by 3 at the
# most; what is bounded along a direction does not grow.
GROWS = 2.0
# Where the value itself is infinite it may grow more slowly than any logarithm, by 1.7 for a logarithm of a logarithm.
GROWS_SLOWLY = 1.1

Kind = Literal["output", "gradient"]
Cause = Literal["unstable", "isolated", "pole", "region"]


@dataclass(frozen=True)
class Evaluation:
    """What a module gives at a point: outputs, and gradients where there are any."""

    outputs: dict[str, Tensor]
    gradients: dict[str, Tensor]


@dataclass(frozen=True)
class Failure:
    """One element that is no number at a point, and the cause. ``double`` is its value in double precision."""

    point: Point
    kind: Kind
    cause: Cause
    name: str
    element: tuple[int, ...]
    value: complex | float
    double: complex | float
    training: bool = False

    @property
    def is_nan(self) -> bool:
        return self.value != self.value

    @property
    def what(self) -> str:
        return f"{'the gradient of ' if self.kind == 'gradient' else ''}{self.name}"


@dataclass(frozen=True)
class Probe:
    """Looks at one mode of a subject."""

    subject: Subject
    training: bool = False

    @cached_property
    def modules(self) -> dict[torch.dtype, nn.Module]:
        return {d: self.subject.build(d, training=self.training) for d in (torch.float32, torch.float64)}

    @cached_property
    def infinite(self) -> bool:
        """Whether outputs at usual values are infinite already, as masked scores are: then only NaN counts."""
        seen = self.evaluate(self.subject.draw(), torch.float32)
        return seen is not None and any(bool(t.isinf().any()) for t in seen.outputs.values())

    def evaluate(self, inputs: Values, dtype: torch.dtype, *, gradients: bool = True) -> Evaluation | None:
        """Return outputs and gradients at ``inputs``; ``None`` where the module refuses them."""
        call = self._call(inputs, dtype)
        try:
            leaves = [leaf.detach().clone().requires_grad_(gradients) for leaf in call.point]
            outputs = self._outputs(call, leaves)
        except Exception:  # in place on a leaf, or refused
            try:
                with torch.no_grad():
                    return Evaluation(self._outputs(call, [leaf.clone() for leaf in call.point]), {})
            except Exception:
                return None
        found = self._gradients(call, leaves, outputs) if gradients else {}
        return Evaluation({name: t.detach() for name, t in outputs.items()}, found)

    def failure(self, point: Point) -> Failure | None:
        """Return the element that is no number at ``point``, if any: of an output, else of a gradient."""
        at = single(point.inputs)
        seen = self.evaluate(at, torch.float32)
        if seen is None:
            return None
        for kind, tensors in (("output", seen.outputs), ("gradient", seen.gradients)):
            bad = {name: self._bad(t) for name, t in tensors.items()}
            if any(bool(mask.any()) for mask in bad.values()):
                return self._explained(point, at, "output" if kind == "output" else "gradient", tensors, bad)
        return None

    def failure_along(self, ray: Ray, size: float) -> Failure | None:
        """Return the failure at ``size`` on ``ray``; where double precision fails there too, that at the first size at
        which single precision fails.
        """
        found = self.failure(ray.at(size))
        if found is None or found.cause == "unstable":
            return found
        low, high = 1.0, size
        if self._fails(ray.at(low)):
            return None
        while high > 1.01 * low:
            middle = (low * high) ** 0.5
            low, high = (low, middle) if self._fails(ray.at(middle)) else (middle, high)
        return self.failure(ray.at(high))

    def origin(self, failure: Failure) -> Step | None:
        """Return the operation at which the numbers end."""
        inputs = single(failure.point.inputs)
        call = self._call(inputs, torch.float32)
        forward = forward_origin(lambda: self._outputs(call, [leaf.clone() for leaf in call.point]))
        if forward is not None or failure.kind == "output":
            return forward
        leaves = [leaf.detach().clone().requires_grad_() for leaf in call.point]
        outputs = list(self._outputs(call, leaves).values())
        cotangents = _cotangents(outputs)
        return backward_origin(lambda: list(self._outputs(call, leaves).values()), cotangents)

    def _call(self, inputs: Values, dtype: torch.dtype) -> PureCall:
        return pure_call(self.subject, self.modules[dtype], cast(inputs, dtype, self.subject.device))

    def _outputs(self, call: PureCall, leaves: list[Tensor]) -> dict[str, Tensor]:
        with seeded(self.subject.seed):
            result = call(leaves)
        return {n: t for n, t in named_tensors(result).items() if t.is_floating_point() or t.is_complex()}

    def _gradients(self, call: PureCall, leaves: list[Tensor], outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        differentiable = [t for t in outputs.values() if t.requires_grad]
        wanted = {name: leaf for name, leaf in zip(call.names, leaves, strict=True) if leaf.requires_grad}
        if not differentiable or not wanted:
            return {}
        try:
            found = torch.autograd.grad(
                differentiable, [*wanted.values()], _cotangents(differentiable), allow_unused=True
            )
        except Exception:  # that it cannot be differentiated is said by other checks
            return {}
        return {name: g for name, g in zip(wanted, found, strict=True) if g is not None}

    def _bad(self, tensor: Tensor) -> Tensor:
        return tensor.isnan() if self.infinite else ~tensor.isfinite()

    def _fails(self, point: Point) -> bool:
        seen = self.evaluate(single(point.inputs), torch.float32)
        return seen is not None and any(
            bool(self._bad(t).any()) for t in (*seen.outputs.values(), *seen.gradients.values())
        )

    def _explained(
        self, point: Point, at: Values, kind: Kind, tensors: Mapping[str, Tensor], bad: Mapping[str, Tensor]
    ) -> Failure | None:
        wide = self.evaluate(at, torch.float64)
        if wide is None:
            return None
        doubles = wide.outputs if kind == "output" else wide.gradients
        common = [name for name in tensors if name in doubles and doubles[name].shape == tensors[name].shape]
        for name in common:
            fine = doubles[name].isfinite() & (doubles[name].abs() < MODERATE)
            if bool((bad[name] & fine).any()):
                return self._failure(point, kind, "unstable", name, tensors[name], doubles[name], bad[name] & fine)
        for name in common:
            both = bad[name] & self._bad(doubles[name])
            nan = both & tensors[name].isnan() & doubles[name].isnan()
            mask = nan if bool(nan.any()) else both
            if bool(mask.any()):
                cause = self._surroundings(at, kind, name, mask, bool(nan.any()))
                return self._failure(point, kind, cause, name, tensors[name], doubles[name], mask)
        return None

    def _surroundings(self, at: Values, kind: Kind, name: str, mask: Tensor, is_nan: bool) -> Cause:
        """Whether values near ``at`` are finite and bounded, grow towards it, or are no numbers either."""
        greatest: dict[float, float] = {}
        for step in STEPS:
            for seed in range(DIRECTIONS):
                moved = near(self.subject, at, step, torch.Generator().manual_seed(seed))
                seen = self.evaluate(moved, torch.float64)
                if seen is None:
                    return "region"
                values = (seen.outputs if kind == "output" else seen.gradients)[name][mask]
                if not bool(values.isfinite().all()):
                    return "region"
                greatest[step] = max(greatest.get(step, 0.0), float(values.abs().max()))
        factor = GROWS if is_nan else GROWS_SLOWLY
        bounded = greatest[STEPS[-1]] <= factor * max(greatest[STEPS[0]], 1e-6)
        return "isolated" if bounded else "pole"

    def _failure(
        self, point: Point, kind: Kind, cause: Cause, name: str, value: Tensor, double: Tensor, mask: Tensor
    ) -> Failure:
        first = int(mask.flatten().nonzero()[0])
        element = tuple(int(i) for i in torch.unravel_index(torch.tensor(first), value.shape))
        one, other = value.flatten()[first].item(), double.flatten()[first].item()
        return Failure(point, kind, cause, name, element, one, other, self.training)


def _cotangents(outputs: list[Tensor]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [random_signs(output.detach(), generator).to(output.dtype) for output in outputs]
