"""parity: values and gradients equal those of the reference."""

from collections.abc import Iterator

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.identify.facts import facts_of
from verifykit.identify.replacement.equality import equality
from verifykit.identify.replacement.matching import Incomparable, matched
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject

PRECISIONS = (torch.float64, torch.float32)


@check("parity", family="comparison", requires=("determinism",))
def parity(subject: Subject) -> Iterator[Finding | Verified]:
    """Values and gradients equal those of the module given with --reference.

    What:
        Carries the parameters over to the reference, then compares outputs, gradients by inputs and parameters, and
        double backward, in float64 and float32, in eval and training mode: over drawn sizes, seeds and values of the
        parameters, at large and small values and the edges of the domains. The tolerance follows from the rounding
        error that the reference itself shows at each point. The inputs that refute equality are made small.

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
    facts = facts_of(subject)
    try:
        match = matched(facts, reference)
    except Incomparable as error:
        raise Inconclusive(str(error)) from None
    results = []
    for dtype in PRECISIONS:
        result = equality(facts, match, dtype)
        if result.difference is not None:
            if reference.assumed:
                raise Inconclusive(
                    f"it differs from {reference}, but nobody gave {', '.join(reference.assumed)}; "
                    f"write --reference '{reference.target.name}(…)' with its arguments"
                )
            yield Finding(f"it differs from {reference}: {result.difference}", evidence=dict(result.evidence or {}))
            return
        if result.undecided is not None:
            raise Inconclusive(f"nothing was compared: {result.undecided}")
        results.append(result)
    for note in dict.fromkeys(note for result in results for note in result.notes):
        yield Finding(f"compared with {reference}: {note}", "note")
    for result in results:
        name = str(result.dtype).removeprefix("torch.")
        what = f"{name} outputs and gradients against {reference}" + (
            f", at most {result.ulps} ULP apart in the values" if result.ulps else ""
        )
        yield Verified(what, result.examples, result.worst, "rounding of the reference at each point")
