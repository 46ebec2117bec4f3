"""claim: what is called after a known operation computes it."""

import inspect
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.identify.claims import claimed
from verifykit.identify.definitions.definition import Definition
from verifykit.identify.definitions.judging import Judgement, judge
from verifykit.identify.facts import facts_of
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject

ORDER = ("equal", "variant", "near", "other")


@check("claim", family="comparison", severity="warning", requires=("determinism",))
def claim(subject: Subject) -> Iterator[Finding | Verified]:
    """What its name or docstring says that it is, it is.

    What:
        Where the class name, or the first sentence of the docstring, names a known operation, compares the module with
        the definition of that operation, over the conventions that the literature has for it, in double precision:
        values and gradients at several sizes and magnitudes, in eval and in training mode, and the running statistics.
        What differs is compared with the variants that people get wrong, and named where one explains it.

    Why it matters:
        Whoever reads LayerNorm expects layer normalisation. A variance divided by n - 1, a missing square root or
        gates in another order train well enough to go unnoticed, until weights are loaded from elsewhere or results
        are compared with a paper's.

    Wrong:
        class LayerNorm(nn.Module):
            def forward(self, x):
                return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps)

    Right:
        class LayerNorm(nn.Module):
            def forward(self, x):
                variance = x.var(-1, unbiased=False, keepdim=True)
                return (x - x.mean(-1, keepdim=True)) / (variance + self.eps).sqrt()

    When to ignore:
        When the variant is meant; a name or a first sentence that says so makes no such claim.
    """
    definitions = claimed(subject)
    if not definitions:
        raise Skip("neither its name nor its docstring says that it is an operation that is defined here")
    try:
        facts_of(subject)
    except Exception as error:
        raise Inconclusive(f"it cannot be seen in double precision: {one_line(error)}") from None
    best = min(_judgements(subject, definitions), key=lambda judgement: ORDER.index(judgement.relation))
    if best.relation == "other":
        names = " or ".join(dict.fromkeys(definition.operation for definition in definitions))
        raise Inconclusive(
            f"it says that it is {names}, but takes other inputs or parameters than the definition, is another "
            f"construction, or shows nothing of it: they cannot be compared ({best.definition.source})"
        )
    assert best.match is not None
    if best.relation == "equal" and best.agreement is not None:
        said = f"{best.definition.operation}, {best.match.candidate.name} ({best.definition.source})"
        yield Verified(said, best.agreement.examples, best.agreement.worst, "rounding of double precision")
        return
    yield _finding(subject, best, best.match.candidate.name)


# Words long enough to say what is peculiar, but for those that say it of anything.
_TELLING = re.compile(r"(?!instead|divided|between|classes|predict|targets)[a-z]{7,}")


def _judgements(subject: Subject, definitions: Sequence[Definition]) -> Iterator[Judgement]:
    """How the target relates to each, no further than to the first that it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # definitions are tried with arguments and inputs that torch may advise against
        for definition in definitions:
            judgement = judge(subject, definition)
            yield judgement
            if judgement.relation == "equal":
                return


def _finding(subject: Subject, judgement: Judgement, name: str) -> Finding:
    operation, deviations = judgement.definition.operation, "; ".join(judgement.deviations)
    evidence: dict[str, Any] = {"definition": judgement.definition.source, "compared with": name}
    if deviations:
        evidence["variant"] = deviations
    shown = ""
    if judgement.agreement is not None and judgement.agreement.counterexample:
        shown = f": {judgement.agreement.counterexample}"
        evidence |= judgement.agreement.evidence
    told = f"it says that it is {operation}, {f'but {deviations}' if deviations else 'and differs from its definition'}"
    return Finding(
        f"{told}{shown}",
        "note" if judgement.slight or _is_documented(subject, judgement) else "warning",
        evidence,
        subject.forward_location,
        "certain" if judgement.relation == "variant" else "likely",
    )


def _is_documented(subject: Subject, judgement: Judgement) -> bool:
    """Whether a telling word of what deviates stands in the docstring: then it is known, and meant."""
    definition = judgement.definition
    options = " ".join([definition.operation, *definition.numbers, *definition.conventions])
    words = set(_TELLING.findall(" ".join(judgement.deviations).lower())) - set(_TELLING.findall(options.lower()))
    told = set(_TELLING.findall((inspect.getdoc(subject.target.obj) or "").lower()))
    return bool(words & told)
