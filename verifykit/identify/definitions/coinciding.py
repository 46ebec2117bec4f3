"""Operations that do what a built-in does almost everywhere, and differ on ties, at edges or in training mode alone.

Where a target was seen first they cannot be told from it; that the built-in is not equal is found out thoroughly, and
only then are these of use.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from verifykit.identify.candidate import Candidate
from verifykit.identify.definitions import binary
from verifykit.identify.definitions.candidates import variants
from verifykit.identify.definitions.definition import Arguments, Definition, Number, Variant
from verifykit.identify.facts import Facts
from verifykit.identify.screening import SAME, screen_of

# Ways to write one operation that are looked at.
WAYS = 6


class Dropout(nn.Module):
    """Elements set to zero with probability p in training, the others divided by 1 - p; Srivastava et al. 2014,
    torch.nn.Dropout.
    """

    def __init__(self, *, p: float = 0.5, form: str = "dropout") -> None:
        super().__init__()
        self.p, self.form = p, form

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        p = 1 - self.p if self.form in ("keep", "keep unscaled") else self.p
        if self.form in ("gaussian", "gaussian by p"):
            spread = (p / (1 - p)) ** 0.5 if self.form == "gaussian" else p
            return x * (1 + spread * torch.randn_like(x))
        if self.form == "noise":
            return x + p * torch.randn_like(x)
        shape = {"whole": x.shape[:1] + (1,) * (x.ndim - 1), "batch": (1, *x.shape[1:])}.get(self.form, x.shape)
        kept: Tensor = (torch.rand(shape, dtype=x.dtype, device=x.device) >= p).to(x)
        if self.form in ("unscaled", "keep unscaled"):
            return x * kept
        divisor: float = {"by p": p, "multiplied": 1 / (1 - p), "root": (1 - p) ** 0.5}.get(self.form, 1 - p)
        return x * kept / divisor


def threshold(x: Tensor, *, threshold: float = 0.0, value: float = 0.0, form: str = ">") -> Tensor:
    """x where it exceeds the threshold, else value; torch.nn.Threshold."""
    kept = x >= threshold if form == ">=" else x > threshold
    return torch.where(kept, x, torch.full_like(x, value))


def hardshrink(x: Tensor, *, lambd: float = 0.5, form: str = ">") -> Tensor:
    """x where |x| exceeds lambd, else 0; torch.nn.Hardshrink."""
    kept = x.abs() >= lambd if form == ">=" else x.abs() > lambd
    return torch.where(kept, x, torch.zeros_like(x))


def candidates(facts: Facts) -> Iterator[Candidate]:
    """Yield those that give what was seen, the ones that deviate from their definition in one way."""
    screen = screen_of(facts)
    for definition in _RANDOM if facts.random else _CERTAIN:
        for candidate in variants(definition, facts, 1, WAYS):
            match = screen.matches(candidate, within=SAME)
            if match is not None and match.residual <= SAME and match.is_plain:
                yield candidate


def _unchanged(facts: Facts) -> Iterable[Arguments]:
    x, y = facts.inputs[0], next(iter(facts.outputs.values()))
    return [{}] if not facts.state and x.shape == y.shape and bool((x == y).all()) else []


_LAMBD = Number((0.5,), 0.0, 100.0, ("lambda_", "lam", "threshold", "lmbda", "tau"))
_TIES = (Variant(">=", "x is kept where it equals the threshold as well: >= where torch has >"),)
_RANDOM = (
    Definition("dropout", Dropout, "Srivastava et al. 2014; torch.nn.Dropout", ("dropout",), "torch.nn.Dropout", (1,),
               _unchanged, numbers={"p": Number((0.5,), 0.0, 1.0, ("dropout", "rate", "prob", "drop", "drop_prob",
                                                                 "keep", "keep_prob"))}, deviations={"form": (
                   Variant("unscaled", "what is kept is not rescaled by 1/(1 - p)"),
                   Variant("keep", "p is the probability to keep an element instead of to drop it: 1 - p"),
                   Variant("keep unscaled", "p is the probability to keep, 1 - p, and what is kept is not rescaled"),
                   Variant("by p", "what is kept is divided by p instead of 1 - p"),
                   Variant("multiplied", "what is kept is multiplied by 1 - p instead of divided"),
                   Variant("root", "what is kept is divided by the root of 1 - p"),
                   Variant("whole", "whole samples are dropped, as in stochastic depth", True),
                   Variant("batch", "all samples of a batch lose the same elements"),
                   Variant("gaussian", "it is multiplied by normal noise, of variance p/(1 - p), instead", True),
                   Variant("gaussian by p", "it is multiplied by normal noise, of deviation p, instead", True),
                   Variant("noise", "normal noise of deviation p is added instead", True))}),
)  # fmt: skip
_CERTAIN = (
    Definition("Threshold", threshold, "torch.nn.Threshold", ("threshold",), "torch.nn.Threshold", numbers={
        "threshold": Number((0.0,), -1e6, 1e6, ("theta", "t")), "value": Number((0.0,), -1e6, 1e6)},
        deviations={"form": _TIES}),
    Definition("Hardshrink", hardshrink, "torch.nn.Hardshrink", ("hardshrink",), "torch.nn.Hardshrink", numbers={
        "lambd": _LAMBD}, deviations={"form": _TIES}),
    *(definition for definition in binary.DEFINITIONS if "eps" in definition.numbers),
)  # fmt: skip
