"""A candidate held against a reference: in every precision, and in what both cost."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from msgspec.structs import replace

from verifykit.errors import UserError, one_line
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.replacement.cost import costs
from verifykit.identify.replacement.equality import equality
from verifykit.identify.replacement.low import FACTOR, is_real, low_precision
from verifykit.identify.replacement.matching import Incomparable, matched
from verifykit.results.comparison import Comparison, Precision
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

EXACT = (torch.float64, torch.float32)
LOW = (torch.bfloat16, torch.float16)


def compare(subject: Subject, reference: Reference, *, profile: bool = True) -> Comparison:
    """Hold ``subject``, the candidate, against ``reference``: values, gradients and double backward in double and
    single precision to rounding; forward and backward in half precisions by the error of each; time and memory.
    """
    facts = facts_of(subject)
    blank = Comparison(
        subject.target.name,
        str(reference),
        "inconclusive",
        seed=subject.seed,
        spec=subject.spec.facts(learn_outputs(subject)),
        unmeasured="switched off",
    )
    try:
        match = matched(facts, reference)
    except Incomparable as error:
        return replace(blank, reason=str(error))
    found = replace(
        blank, correspondence=[*match.arrangement.notes], precisions=_precisions(facts, match), unmeasured=None
    )
    decided = _decided(found, reference)
    if not profile:
        return replace(decided, unmeasured="switched off")
    try:
        measured = costs(facts, dataclasses.replace(reference, order=match.order))
    except Exception as error:  # what it is worth is known without
        return replace(decided, unmeasured=f"profiling failed: {one_line(error)}")
    return replace(
        decided,
        candidate_cost=measured.own,
        reference_cost=measured.other,
        forward_ratio=measured.forward_ratio,
        backward_ratio=measured.backward_ratio,
        memory_ratio=measured.own.peak_bytes / measured.other.peak_bytes if measured.other.peak_bytes else None,
    )


def _precisions(facts: Facts, match: Match) -> list[Precision]:
    """Every dtype; where the candidate is not the same in double precision, single and half are not looked at."""
    found: list[Precision] = []
    for dtype in EXACT:
        found.append(_exact(facts, match, dtype))
        if found[-1].verdict == "differs":
            return found
    if is_real(facts.state, facts.inputs):
        found += [_low(facts, match, dtype) for dtype in LOW]
    return found


def _decided(found: Comparison, reference: Reference) -> Comparison:
    differing = [p for p in found.precisions if p.verdict == "differs"]
    if differing and reference.assumed:
        given = f"it differs, but nobody gave {', '.join(reference.assumed)} of the reference"
        return replace(found, reason=f"{given}: write '{reference.target.name}(…)' with its arguments")
    if differing:
        return replace(found, verdict="differs", reason=f"in {differing[0].dtype}: {differing[0].message}")
    undecided = [p for p in found.precisions if p.verdict == "inconclusive" and p.dtype in map(_name, EXACT)]
    if undecided:
        return replace(found, reason=f"in {undecided[0].dtype}: {undecided[0].message}")
    return replace(found, verdict="equal")


def _exact(facts: Facts, match: Match, dtype: torch.dtype) -> Precision:
    criterion = "the rounding that the reference shows at each point"
    try:
        result = equality(facts, match, dtype)
    except UserError as error:  # it cannot be built in this dtype
        return Precision(_name(dtype), "inconclusive", criterion, message=str(error))
    told = result.difference or result.undecided
    return Precision(
        _name(dtype),
        "differs" if result.difference else "inconclusive" if result.undecided else "equal",
        criterion,
        result.examples,
        result.worst,
        result.ulps,
        told,
        dict(result.evidence or {}),
        [*result.notes],
    )


def _low(facts: Facts, match: Match, dtype: torch.dtype) -> Precision:
    criterion = f"{FACTOR:g} times the error of the reference against float64, and one unit of rounding"
    try:
        low = low_precision(facts, match, dtype)
    except UserError as error:
        return Precision(_name(dtype), "inconclusive", criterion, message=str(error))
    blank = Precision(_name(dtype), "inconclusive", criterion, low.examples)
    if not low.excess:
        who = "it" if low.candidate_refuses else match.candidate.name
        return replace(blank, message=f"{who} does not run: {low.refused}" if low.refused else "nothing to compare")
    worst = max(low.excess, key=lambda name: low.excess[name])
    errors = low.errors[worst]
    seen = replace(blank, worst=max(e.target for e in low.errors.values()))
    if low.excess[worst] <= 1:
        return replace(seen, verdict="equal")
    element = f"{worst}{list(errors.index) or ''}"
    evidence: Mapping[str, Any] = {
        "tensor": element,
        "candidate": errors.actual,
        "reference in float64": errors.expected,
        "relative error": errors.target,
        "relative error of the reference": errors.reference,
        "sizes": errors.sizes,
    }
    message = (
        f"its {element} is {errors.actual:.6g}, the reference in float64 gives {errors.expected:.6g}: an error of "
        f"{errors.target:.2g} of the greatest value, where the reference's own is at most {errors.reference:.2g}"
    )
    return replace(seen, verdict="differs", message=message, evidence=dict(evidence))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
