"""claim: what is called after a known operation computes it."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.identify.claims import claimed
from verifykit.identify.definitions.first_look import Look, difference
from verifykit.identify.definitions.judging import ROUNDING, Judgement, as_bits, judge
from verifykit.identify.facts import Facts, facts_of
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.strategies import Case, cases, cast, refute
from verifykit.spec.subject import Subject

# Examples that are drawn to find a small counterexample, and seconds of work for making it smaller.
EXAMPLES, SECONDS = 25, 0.7
# Relative difference below which what no variant explains is put down to an eps.
SLIGHT = 1e-4


class Differs(Exception):
    """The target and the definition give different values."""

    def __init__(self, place: str, index: tuple[int, ...], ours: float, theirs: float) -> None:
        super().__init__(place)
        self.place, self.index, self.ours, self.theirs = place, index, ours, theirs


@check("claim", family="comparison", severity="warning", requires=("determinism",))
def claim(subject: Subject) -> Iterator[Finding | Verified]:
    """What its name or docstring says that it is, it is.

    What:
        Where the class name, or the first sentence of the docstring, names a known operation, compares the module with
        the definition of that operation, over the conventions that the literature has for it, in double precision:
        values at several sizes and magnitudes, in eval and in training mode, and the running statistics. What differs
        is compared with the variants that people get wrong, and named where one explains it.

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
        facts = facts_of(subject)
    except Exception as error:
        raise Inconclusive(f"it cannot be seen in double precision: {one_line(error)}") from None
    judgements = [judge(facts, definition) for definition in definitions]
    order = ("equal", "equal but where tiny", "variant", "near", "other")
    best = min(judgements, key=lambda judgement: order.index(judgement.relation))
    operation = best.definition.operation
    if best.relation == "other":
        names = " or ".join(dict.fromkeys(definition.operation for definition in definitions))
        raise Inconclusive(
            f"it says that it is {names}, but takes other inputs or parameters than the definition, or is another "
            f"construction: they cannot be compared ({best.definition.source})"
        )
    if best.relation in ("equal", "equal but where tiny"):
        where = "" if best.relation == "equal" else ", tiny values aside, where eps is placed in another way"
        assert best.look is not None
        said = f"{operation}, {best.look.candidate.name} ({best.definition.source}){where}"
        yield Verified(said, best.points, best.worst, "rounding of double precision")
        return
    yield _finding(facts, best)


def _finding(facts: Facts, judgement: Judgement) -> Finding:
    operation = judgement.definition.operation
    evidence: dict[str, Any] = {"definition": judgement.definition.source}
    shown = ""
    if judgement.plain is not None:
        found = _counterexample(facts, judgement.plain, judgement.definition.bits)
        if found is not None:
            case, error = found
            place = f"{error.place}{list(error.index) or ''}"
            sizes = ", ".join(f"{name} = {size}" for name, size in case.sizes.items())
            shown = f": {place} is {error.ours:.9g}, by definition {error.theirs:.9g}" + (
                f", at {sizes}" if sizes else ""
            )
            evidence |= {"sizes": case.sizes, "tensor": place, "actual": error.ours, "definition gives": error.theirs}
            evidence |= {name: _short(t) for name, t in zip(facts.subject.input_names, case.inputs, strict=True)}
        evidence["compared with"] = judgement.plain.candidate.name
    if judgement.relation == "near":
        told = f"it says that it is {operation}, and differs from its definition{shown}"
        # What differs as little as an eps would is no other operation.
        slight = judgement.plain is not None and judgement.plain.residual < SLIGHT
        severity: Severity = "note" if slight else "warning"
        return Finding(told, severity, evidence, facts.subject.forward_location, "likely")
    assert judgement.look is not None
    deviations = "; ".join(judgement.look.candidate.deviations)
    evidence["variant"] = deviations
    told = f"it says that it is {operation}, but {deviations}{shown}"
    return Finding(told, "note" if judgement.usual else "warning", evidence, facts.subject.forward_location)


def _counterexample(facts: Facts, plain: Look, bits: bool) -> tuple[Case, Differs] | None:
    """The smallest inputs that were found at which the target differs from the definition."""
    subject = facts.subject

    def compare(case: Case) -> None:
        inputs = cast(case.inputs, torch.float64, subject.device)
        if bits and len(inputs) > 1:
            inputs = (inputs[0], as_bits(inputs[1]), *inputs[2:])
        with torch.no_grad():
            ours, theirs = facts.evaluate(facts.state, inputs), plain.call(facts.state, inputs, False)
        apart = difference(ours, theirs)
        if apart is not None and apart > ROUNDING:
            raise _difference(ours, theirs)

    def tolerant(case: Case) -> None:
        try:
            compare(case)
        except Differs:
            raise
        except Exception:  # values or sizes that one of the two does not take
            return

    found = refute(tolerant, cases(subject.spec), examples=EXAMPLES, seed=subject.seed, seconds=SECONDS)
    refuted = [(found[0], found[1])] if found is not None and isinstance(found[1], Differs) else []
    for size in (1, 2, 3):  # large modules leave no time to make what was found smaller
        case = Case(dict.fromkeys(subject.spec.free, size), subject.draw(dict.fromkeys(subject.spec.free, size)))
        try:
            tolerant(case)
        except Differs as error:
            refuted.append((case, error))
    return min(refuted, key=lambda item: sum(t.numel() for t in item[0].inputs), default=None)


def _difference(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> Differs:
    place, value = max(ours.items(), key=lambda item: difference(dict([item]), theirs) or 0.0)
    other = min(
        (o for o in theirs.values() if o.shape == value.shape), key=lambda o: difference({"": value}, {"": o}) or 0.0
    )
    gap = (value - other).abs().nan_to_num(nan=float("inf")).flatten()
    at = int(gap.argmax())
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(at), value.shape))
    return Differs(place, index, float(value.flatten()[at]), float(other.flatten()[at]))


def _short(tensor: Tensor) -> Any:
    return tensor.tolist() if tensor.numel() <= 12 else f"shape {tuple(tensor.shape)}"
