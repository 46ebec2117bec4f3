"""Whether a target is the operation that it claims to be, a known variant of it, or neither."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from verifykit.identify.agreement import Agreement, agreement
from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.definitions.candidates import NAMED, variants
from verifykit.identify.definitions.definition import Definition
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.screening import SAME, Screen, screen_of
from verifykit.spec.domain import OneOf
from verifykit.spec.inference.names import role_of
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

# What leaves so much of the spread is another construction; what leaves so little, an eps might explain.
NEAR, SLIGHT = 0.1, 1e-4
# Candidates that are compared thoroughly; and ways to be the definition that are looked at for the nearest.
CONFIRMED, WAYS = 4, 16

Relation = Literal["equal", "variant", "near", "other"]


@dataclass(frozen=True)
class Judgement:
    """How a target relates to ``definition``: ``match`` is what it equals, a variant where one explains it, else what
    comes nearest. ``agreement`` is that of the definition itself, with the same arguments; where the two differ, with
    a counterexample. ``deviations`` say how, ``slight`` that it is no mistake: it goes by the same name in the
    literature, or differs as little as an eps would.
    """

    definition: Definition
    relation: Relation
    match: Match | None = None
    agreement: Agreement | None = None
    deviations: tuple[str, ...] = ()
    slight: bool = False


def judge(subject: Subject, definition: Definition) -> Judgement:
    """Compare the target with ``definition``, then with its variants. What the module raises passes through."""
    facts = _facts(subject, definition)
    screen = screen_of(facts)
    if not screen.varied:
        return Judgement(definition, "other")
    elsewhere: list[Judgement] = []
    turned: list[Match] = []
    for deviations in range(3):
        same = (screen.matches(c, within=SAME) for c in variants(definition, facts, deviations, NAMED[deviations]))
        for match in islice((m for m in same if m is not None and m.residual <= SAME), CONFIRMED):
            if match.deviations != match.candidate.deviations:
                turned.append(match)
                continue
            established = agreement(facts, match)
            if established.holds:
                return _variant(facts, definition, match) if deviations else _equal(definition, match, established)
            if not deviations:
                elsewhere.append(_elsewhere(definition, match, established))
                if elsewhere[-1].relation == "equal":
                    return elsewhere[-1]
    if turned:
        return _variant(facts, definition, turned[0])
    return next(iter(elsewhere), None) or _nearest(facts, screen, definition)


def _facts(subject: Subject, definition: Definition) -> Facts:
    """What is seen of ``subject`` where it is fed as the definition wants it: with a second input that is 0 or 1 where
    it says so; and with a target that is -1 or 1 where any other shows nothing.
    """
    entries = subject.spec.inputs
    if definition.bits and len(entries) > 1 and entries[1].dtype == "float":
        return facts_of(_fed(subject, 1, (0.0, 1.0)))
    facts, last = facts_of(subject), entries[-1]
    if screen_of(facts).varied or role_of(last.name) not in ("target", "labels") or last.dtype != "float":
        return facts
    return facts_of(_fed(subject, len(entries) - 1, (-1.0, 1.0)))


def _fed(subject: Subject, place: int, values: tuple[float, ...]) -> Subject:
    def fed() -> Subject:
        inputs = [replace(e, domain=OneOf(values)) if i == place else e for i, e in enumerate(subject.spec.inputs)]
        return replace(subject, spec=replace(subject.spec, inputs=tuple(inputs)), _shared={})

    return subject.once(f"input {place} is one of {values}", fed)


def _equal(definition: Definition, match: Match, established: Agreement) -> Judgement:
    return Judgement(definition, "equal", match, established)


def _variant(facts: Facts, definition: Definition, match: Match) -> Judgement:
    usual = {v.phrase for values in definition.deviations.values() for v in values if v.usual}
    # State that is kept in another way computes the same.
    slight = all(phrase in usual or phrase in match.arrangement.deviations for phrase in match.deviations)
    plain = replace(match, candidate=_undeviated(definition, match.candidate), order=tuple(range(len(match.order))))
    try:
        established = agreement(facts, plain)
    except Exception:  # the definition has another state than the variant
        established = None
    return Judgement(definition, "variant", match, established, match.deviations, slight)


def _undeviated(definition: Definition, candidate: Candidate) -> Candidate:
    init = candidate.reference.init
    options = {
        option for option, values in definition.deviations.items()
        for v in values if v.phrase in candidate.deviations and init.get(option) == v.value
    }  # fmt: skip
    kept = {name: value for name, value in init.items() if name not in options}
    return replace(candidate, reference=Reference(candidate.reference.target, kept), deviations=())


def _elsewhere(definition: Definition, match: Match, established: Agreement) -> Judgement:
    """It gives the same where it was seen first, and not everywhere. Gradients at a kink or an edge are those of the
    definition's code, which no definition prescribes; values there are a matter of eps and of what is clamped.
    """
    if established.edge and "gradient of" in str(established.evidence.get("tensor")):
        return _equal(definition, match, established)
    return Judgement(definition, "near", match, established, slight=established.edge)


def _nearest(facts: Facts, screen: Screen, definition: Definition) -> Judgement:
    """It gives other numbers, which are near those of the definition, or these times a factor."""
    matches = [screen.matches(candidate) for candidate in islice(variants(definition, facts, 0, WAYS), WAYS)]
    near = [m for m in matches if m is not None and m.residual <= NEAR and m.scale > 0.0 and m.offset == 0.0]
    nearest = min(near, key=lambda match: (match.residual, not match.is_plain), default=None)
    if nearest is None:
        return Judgement(definition, "other")
    if nearest.is_plain and nearest.residual <= SAME and nearest.deviations:
        return _variant(facts, definition, nearest)
    established = agreement(facts, replace(nearest, scale=1.0))
    if established.holds:
        return _equal(definition, nearest, established)
    deviations = () if nearest.is_plain else (f"it is {nearest.scale:.6g} times that",)
    return Judgement(definition, "near", nearest, established, deviations, SAME < nearest.residual < SLIGHT)
