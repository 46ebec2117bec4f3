"""parity: values and gradients equal those of the reference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.errors import one_line
from verifykit.results import Finding, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.strategies import Case, cases, cast, refute
from verifykit.spec.subject import Subject, named_tensors
from verifykit.spec.transfer import Unmatched, copy_state, match_state

EXAMPLES = 40
PRECISIONS = (torch.float64, torch.float32)


class Disagreement(Exception):
    """A tensor of the target is not that of the reference."""

    def __init__(self, message: str, tensor: str, evidence: dict[str, Any]) -> None:
        super().__init__(message)
        self.tensor = tensor
        self.evidence = evidence


class Rejected(Exception):
    """The reference does not take these inputs."""


@check("parity", family="comparison", requires=("determinism",))
def parity(subject: Subject) -> Iterator[Finding | Verified]:
    """Values and gradients equal those of the module given with --reference.

    What:
        Copies the parameters into the reference, then compares outputs and gradients, with respect to inputs and
        parameters, over drawn sizes and values in float64 and float32. The tolerance follows from the rounding error
        that the reference itself shows at that point. The inputs that refute equality are shrunk.

    Why it matters:
        A replacement for a built-in that differs in a corner gives other results in every model it is put into.

    Wrong:
        def forward(self, x):  # against torch.nn:GELU
            return x * torch.sigmoid(1.702 * x)

    Right:
        def forward(self, x):
            return x * 0.5 * (1 + torch.erf(x / 2**0.5))

    When to ignore:
        When the module is meant to differ from the reference.
    """
    reference = subject.reference
    if reference is None:
        raise Skip("no --reference was given")
    comparison = _Comparison(subject, reference)
    refuted = refute(comparison.compare, cases(subject.spec), examples=EXAMPLES, seed=subject.seed)
    if refuted is not None:
        case, error = refuted
        if isinstance(error, Rejected):
            raise Inconclusive(str(error))
        if not isinstance(error, Disagreement):
            raise error
        if reference.assumed:
            raise Inconclusive(
                f"it differs from {reference}, but nobody gave {', '.join(reference.assumed)}; "
                f"write --reference '{reference.target.name}(…)' with its arguments"
            )
        if error.tensor.startswith("gradient") and comparison.agrees_nearby(case):
            note = f"{error} at an isolated point: both are subgradients of a kink there, and agree beside it"
            yield Finding(note, "note", error.evidence)
        else:
            yield Finding(f"it differs from {reference}: {error}", evidence=error.evidence)
            return
    if not comparison.varied:
        raise Inconclusive("the outputs were constant at every drawn input, so nothing was compared")
    for dtype, seen in comparison.seen.items():
        basis = "rounding of the reference at each point"
        name = str(dtype).removeprefix("torch.")
        what = f"{name} outputs and gradients against {reference}" + (
            f", at most {seen.ulps} ULP apart in the values" if seen.ulps else ""
        )
        yield Verified(what, seen.examples, seen.error, basis)


@dataclass
class _Seen:
    examples: int = 0
    error: float = 0.0
    ulps: int = 0


@dataclass
class _Comparison:
    subject: Subject
    reference: Reference
    varied: bool = False
    seen: dict[torch.dtype, _Seen] = field(default_factory=lambda: {dtype: _Seen() for dtype in PRECISIONS})

    def __post_init__(self) -> None:
        self.ours = {dtype: self.subject.build(dtype) for dtype in PRECISIONS}
        device, seed = self.subject.device, self.subject.seed
        self.theirs = {dtype: self.reference.build(dtype, device, seed=seed) for dtype in PRECISIONS}
        try:
            self.pairs = match_state(self.ours[torch.float64], self.theirs[torch.float64])
        except Unmatched as error:
            raise Inconclusive(f"parameters cannot be carried over to {self.reference}: {error}") from None
        for dtype in PRECISIONS:
            copy_state(self.ours[dtype], self.theirs[dtype], self.pairs)

    def compare(self, case: Case) -> None:
        # Both precisions are evaluated at the same point, one that single precision can represent.
        inputs = cast(case.inputs, torch.float32, self.subject.device)
        expected = {dtype: self._expected(cast(inputs, dtype, self.subject.device), dtype) for dtype in PRECISIONS}
        for dtype in PRECISIONS:
            fed = cast(inputs, dtype, self.subject.device)
            actual = self._evaluate(self.ours[dtype], self.subject.call, fed, [pair.target for pair in self.pairs])
            self._compare(actual, expected, dtype, case)

    def agrees_nearby(self, case: Case) -> bool:
        """Whether the two agree at random points of the sizes at which they did not."""
        for seed in range(3):
            try:
                self.compare(Case(case.sizes, self.subject.draw(case.sizes, seed=seed)))
            except (Disagreement, Rejected):
                return False
        return True

    def _expected(self, inputs: tuple[Tensor, ...], dtype: torch.dtype) -> dict[str, Tensor]:
        names = [pair.reference for pair in self.pairs]
        try:
            found = self._evaluate(self.theirs[dtype], self.reference.call, inputs, names)
        except Exception as error:
            shapes = ", ".join(str(tuple(t.shape)) for t in inputs)
            raise Rejected(f"{self.reference} rejects inputs of shape {shapes}: {one_line(error)}") from error
        for pair in self.pairs:
            theirs, ours = f"gradient of {pair.reference}", f"gradient of {pair.target}"
            if theirs in found:
                value = found.pop(theirs)
                found[ours] = value.mT if pair.transposed else value
        return found

    def _evaluate(
        self, module: nn.Module, call: Callable[..., Any], inputs: tuple[Tensor, ...], state: list[str]
    ) -> dict[str, Tensor]:
        """Outputs by name, then the gradients of inputs and parameters under one random cotangent."""
        differentiable = {
            name: t.requires_grad_()
            for name, t in zip(self.subject.input_names, inputs, strict=True)
            if t.is_floating_point() or t.is_complex()
        }
        parameters = dict(module.named_parameters())
        differentiable |= {name: parameters[name] for name in state if name in parameters}
        with seeded(self.subject.seed):
            fed = [t.clone() for t in inputs]  # a module may change its input in place
            outputs = named_tensors(call(module, fed))
        found = {name: t.detach() for name, t in outputs.items()}
        roots = [t for t in outputs.values() if t.requires_grad]
        leaves = [t for t in differentiable.values() if t.requires_grad]
        names = [name for name, t in differentiable.items() if t.requires_grad]
        grads = tuple(torch.zeros_like(t) for t in leaves)
        if roots and leaves:
            generator = torch.Generator().manual_seed(self.subject.seed)
            cotangents = [torch.randn(t.shape, generator=generator, dtype=torch.float64).to(t) for t in roots]
            grads = torch.autograd.grad(roots, leaves, cotangents, allow_unused=True, materialize_grads=True)
        return found | {f"gradient of {name}": grad for name, grad in zip(names, grads, strict=True)}

    def _compare(
        self,
        actual: dict[str, Tensor],
        expected: dict[torch.dtype, dict[str, Tensor]],
        dtype: torch.dtype,
        case: Case,
    ) -> None:
        if actual.keys() != expected[dtype].keys():
            missing = sorted(actual.keys() ^ expected[dtype].keys())
            raise Disagreement(f"only one of the two has {', '.join(missing)}", missing[0], {"sizes": case.sizes})
        worst: list[tuple[str, Difference]] = []
        for name, value in actual.items():
            wanted = expected[dtype][name]
            if value.shape != wanted.shape:
                message = f"{name} has shape {tuple(value.shape)}, the reference's {tuple(wanted.shape)}"
                raise Disagreement(message, name, {"sizes": case.sizes})
            double, single = expected[torch.float64][name], expected[torch.float32][name]
            tolerance = (
                rounding_tolerance(double, single, dtype) if wanted.is_floating_point() or wanted.is_complex() else 0.0
            )
            difference = worst_difference(value, wanted, tolerance)
            if difference is None:
                continue
            self.varied |= not name.startswith("gradient") and bool(
                (wanted != wanted.flatten()[0]).any() or wanted.abs().max() > 0
            )
            worst.append((name, difference))
        self._judge(worst, dtype, case)

    def _judge(self, worst: list[tuple[str, Difference]], dtype: torch.dtype, case: Case) -> None:
        # A wrong value explains wrong gradients, so values are judged first.
        for name, found in worst:
            if found.excess > 1:
                element = f"{name}{list(found.index) or ''}"
                evidence = {
                    "tensor": element,
                    "actual": found.actual,
                    "reference": found.expected,
                    "absolute error": found.error,
                    "ULP distance": found.ulps,
                    "tolerance": found.tolerance,
                    "dtype": str(dtype).removeprefix("torch."),
                    "sizes": case.sizes,
                }
                raise Disagreement(
                    f"{element} is {found.actual:.9g}, the reference's {found.expected:.9g}", name, evidence
                )
        seen = self.seen[dtype]
        seen.examples += 1
        for name, found in worst:
            seen.error = max(seen.error, found.error)
            if not name.startswith("gradient"):
                seen.ulps = max(seen.ulps, found.ulps or 0)
