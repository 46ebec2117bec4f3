"""What is asked of identification, and whether the answers are right: a row for each, in groups."""

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.identify.answers import Answer, Question, answer_of, answers
from tests.identify.composites import Composite, composites
from tests.identify.corpus.entries import Entry, Near, Own, Same, entries, is_equal

THRESHOLDS = (-0.7, 0.5, 2.0)

REFERENCE: list[tuple[Question, Same | str]] = [
    (Question("reference_modules:CustomLinear"), Same("Linear", r"sqrt\(3·fan_in\)")),
    (Question("reference_modules:ThresholdReLU", {"threshold": 0.0}), Same(("ReLU", "relu"), "|nan")),
    *(
        (Question("reference_modules:ThresholdReLU", {"threshold": t}), Same("Threshold", "|nan", rf"^{t}, 0"))
        for t in THRESHOLDS
    ),
    (Question("reference_modules:CustomLoss"), "1·MSELoss(p, t) + 0.1·mean(p²)"),
    (
        Question("reference_modules:CombinedLoss"),
        "1·L1Loss(p, t) + 1·mean(1 \N{MINUS SIGN} cosine_similarity(p, t, dim=0))",
    ),
]


@dataclass(frozen=True)
class Row:
    """One thing asked: ``verdict`` is empty where the answer is right, else what is wrong with it."""

    name: str
    expected: str
    said: str
    verdict: str
    seconds: float = math.nan


def reference() -> list[Row]:
    """The project's own worked examples."""
    found = answers([question for question, _ in REFERENCE])
    return [_reference(got, expected) for got, (_, expected) in zip(found, REFERENCE, strict=True)]


def same() -> list[Row]:
    """Re-implementations: the verdict is ``missed``, ``relation`` where the operation alone is right, or ``no such
    call`` where torch cannot be called as is said.
    """
    return _asked(entries(Same))


def near() -> list[Row]:
    """Near misses: the verdict is ``claimed equal`` or ``not named``."""
    return _asked(entries(Near))


def own() -> list[Row]:
    """Modules that are no built-in: the verdict is ``claimed equal``."""
    return _asked(entries(Own))


def composed() -> tuple[list[Row], list[Row]]:
    """Composite losses, and those with a term that no dictionary has. The verdict is ``wrong terms``, or, of the
    second kind, ``claims to be whole``.
    """
    losses = composites()
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(_composed, losses))
    pairs = list(zip(losses, found, strict=True))
    return [row for loss, row in pairs if not loss.outside], [row for loss, row in pairs if loss.outside]


def verdict(expected: Same | Near | Own, got: Answer) -> str:
    """Return what is wrong with an answer, nothing where it is right."""
    likeness = got.likeness
    if not got.is_named and is_equal(likeness):
        return "claimed equal" if isinstance(expected, Near | Own) else "no such call"
    if isinstance(expected, Same):
        return "" if expected.is_right(likeness) else "relation" if expected.is_found(likeness) else "missed"
    if isinstance(expected, Near):
        if expected.is_claimed_equal(likeness):
            return "claimed equal"
        return "" if expected.is_named(likeness) else "not named"
    return "claimed equal" if is_equal(likeness) and not expected.allows(likeness) else ""


def _asked(chosen: list[Entry]) -> list[Row]:
    found = answers(Question(entry.target) for entry in chosen)
    return [
        Row(_short(entry), entry.expected.text, got.text, verdict(entry.expected, got), got.seconds)
        for entry, got in zip(chosen, found, strict=True)
    ]


def _short(entry: Entry) -> str:
    return f"{entry.family}:{entry.target.rpartition(':')[2]}"


def _reference(got: Answer, expected: Same | str) -> Row:
    arguments = ", ".join(f"{name}={value}" for name, value in got.question.init.items())
    name = f"{got.question.target.rpartition(':')[2]}({arguments})"
    if isinstance(expected, Same):
        return Row(name, expected.text, got.text, verdict(expected, got), got.seconds)
    said = got.identity.decomposition.text if got.identity.decomposition else got.text
    return Row(name, expected, said, "" if said == expected else "wrong terms", got.seconds)


def _composed(loss: Composite) -> Row:
    got = answer_of(loss.subject)
    sum_of = got.identity.decomposition
    expected = " + ".join(f"{coefficient:.6g}·{text}" for text, coefficient in loss.expected.items())
    if loss.outside:
        whole = is_equal(got.likeness) or (sum_of is not None and sum_of.unexplained == 0)
        said = "" if sum_of is None else f" ({sum_of.unexplained:.2g} unexplained)"
        wrong = "claims to be whole" if whole else ""
        return Row(
            loss.name, f"{expected} + {loss.outside}", (sum_of.text if sum_of else got.text) + said, wrong, got.seconds
        )
    # The sign for minus is not that of the source of the composites.
    terms = {t.text.replace("\N{MINUS SIGN}", "-"): t.coefficient for t in sum_of.terms} if sum_of else {}
    right = (
        sum_of is not None
        and sum_of.unexplained == 0
        and terms.keys() == loss.expected.keys()
        and all(math.isclose(terms[text], loss.expected[text], rel_tol=1e-6) for text in terms)
    )
    return Row(loss.name, expected, sum_of.text if sum_of else got.text, "" if right else "wrong terms", got.seconds)
