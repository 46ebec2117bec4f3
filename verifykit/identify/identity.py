"""All that is found out about what a subject is, as plain data."""

from verifykit.identify.curve import beside, describe
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.initialisation import difference
from verifykit.identify.losses.decompose import decompose
from verifykit.identify.search import Found, identified
from verifykit.identify.suggestion import suggestion
from verifykit.results.identity import Identity, Likeness, Relation
from verifykit.spec.subject import Subject


def identity_of(subject: Subject) -> Identity:
    """Return which known operation ``subject`` is or comes near to, what it is made of if it is a loss, and its curve
    if it is elementwise. What the module raises passes through.
    """
    found = identified(subject)
    curve = describe(subject)
    if curve is not None and found is not None:
        curve = beside(curve, subject, found.match)
    return Identity(
        likeness=_likeness(facts_of(subject), found) if found else None,
        decomposition=decompose(subject),
        curve=curve,
        suggestion=suggestion(facts_of(subject), found.match) if found and found.relation != "close" else None,
    )


def _likeness(facts: Facts, found: Found) -> Likeness:
    relation: Relation = found.relation
    up_to, evidence = [*found.up_to], dict(found.agreement.evidence)
    if relation != "close":
        start = difference(facts, found.match)
        if start is not None:
            relation = "identical up to"
            up_to.append(start.text)
            evidence |= start.evidence
    deviations = [*found.deviations]
    if relation == "close" and found.agreement.counterexample:
        deviations.append(found.agreement.counterexample)
    return Likeness(
        relation=relation,
        name=found.match.candidate.name,
        up_to=up_to,
        deviations=deviations,
        notes=list(found.agreement.notes),
        domain=found.agreement.domain,
        examples=found.agreement.examples,
        worst=found.agreement.worst,
        evidence=evidence,
    )
