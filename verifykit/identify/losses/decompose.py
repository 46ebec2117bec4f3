"""What a loss is made of."""

import warnings
from collections.abc import Mapping, Sequence

from verifykit.experiments.observation import is_called_loss, loss_of
from verifykit.identify.losses.confirm import Confirmation, confirm
from verifykit.identify.losses.dictionary import further_terms, plain_terms
from verifykit.identify.losses.field import typeset
from verifykit.identify.losses.function import LossFunction, Point, function_of
from verifykit.identify.losses.outer import OUTERS, PLAIN, Outer
from verifykit.identify.losses.partial import described
from verifykit.identify.losses.points import fitting_points, held_back, other_points, sizes_that_work
from verifykit.identify.losses.reduction import Sum, nearest, sums
from verifykit.identify.losses.regression import clustered, exact_fits
from verifykit.identify.losses.symbols import Symbols, symbols_of
from verifykit.identify.losses.system import System, system_of
from verifykit.results.identity import Decomposition, Term
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.subject import Subject

# How many sums that fit are held against the loss anew.
_CONFIRMED = 8

# Terms up to which a sum is taken for what was meant, without a look at those with numbers in them.
_FEW = 1

# The fields that are looked at together, the plainest first: losses of three inputs have many more.
_FIELDS = 1000


def decompose(subject: Subject) -> Decomposition | None:
    """Return what the loss ``subject`` is made of; ``None`` where it is no loss, or function of its inputs alone, that
    gives one real number. What no sum of known terms gives is left in ``unexplained``.
    """
    return subject.once("decomposition", lambda: _decomposed(subject))


def is_decomposable(subject: Subject) -> bool:
    """Whether ``subject`` gives one real number and is a loss, or has no parameters."""
    outputs = learn_outputs(subject)
    if not outputs or outputs[0].shape != [] or outputs[0].dtype != "float":
        return False
    if not any(entry.dtype == "float" for entry in subject.spec.inputs):
        return False
    called = is_called_loss(subject) or loss_of(subject) is not None
    return called or (len(outputs) == 1 and not any(True for _ in subject.build().parameters()))


def _decomposed(subject: Subject) -> Decomposition | None:
    if not is_decomposable(subject):
        return None
    function = function_of(subject)
    sizes = sizes_that_work(function)
    first = fitting_points(function, sizes[0], 0) if sizes else []
    if not first:
        return None
    function = held_back(function, first)
    trial = function.at(sizes[0], 0)
    symbols = symbols_of(function, trial)
    others = list(other_points(function, sizes[1:]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # shapes that broadcast, reductions that will change: no term is meant so
        plain = system_of(plain_terms(symbols), [trial])
        points = fitting_points(function, sizes[0], int(1.6 * len(plain.fields)) + 20)
        system = system_of(plain.fields, points)
        found = _exact(function, symbols, system, others, PLAIN)
        if found is None or (len(found.terms) > _FEW and not _is_familiar(found, symbols)):
            further = system_of([*plain.fields, *further_terms(symbols)], [trial]).fields[:_FIELDS]
            points = fitting_points(function, sizes[0], int(1.6 * len(further)) + 20)
            system = system_of(further, points)
            better = _exact(function, symbols, system, others, PLAIN)
            found = better if found is None or (better and len(better.terms) < len(found.terms)) else found
        for outer in OUTERS:
            found = found or _exact(function, symbols, system, others, outer)
        return found or described(function, system, others, sizes)


def _exact(
    function: LossFunction, symbols: Symbols, system: System, others: Sequence[Point], outer: Outer
) -> Decomposition | None:
    undone = [outer.undone(point) for point in (*system.points, *others)]
    points = [point for point in undone if point is not None]
    if len(points) < len(undone):
        return None
    changed = system.at(points[: len(system.points)])
    clusters = clustered(changed.matrix)
    leading = [cluster[0] for cluster in clusters]
    costs = [changed.fields[k].cost for k in leading]
    fits = exact_fits(changed.matrix[:, leading], changed.vector, costs, few=outer is not PLAIN)
    wholes: list[Sum] = []
    for found in fits[:_CONFIRMED]:
        groups = [[changed.fields[k] for k in clusters[c]] for c in found.support]
        wholes += sums(groups, points)[:_CONFIRMED]
    for whole in sorted(wholes, key=lambda one: one.cost + _unfamiliar(one, symbols))[:_CONFIRMED]:
        seen = confirm(function, whole, _sizes(points), outer.of)
        if seen.holds:
            return _written(function, whole, outer, seen)
    return None


def _is_familiar(found: Decomposition, symbols: Symbols) -> bool:
    """Whether the module is written with all coefficients: then this is how somebody wrote it."""
    return all(abs(term.coefficient) == 1 or symbols.is_written(abs(term.coefficient)) for term in found.terms)


def _unfamiliar(whole: Sum, symbols: Symbols) -> int:
    """How many coefficients are not among the numbers that the module is written with."""
    return sum(abs(p.coefficient) != 1 and not symbols.is_written(abs(p.coefficient)) for p in whole.pieces)


def _sizes(points: Sequence[Point]) -> list[Mapping[str, int]]:
    return [point.sizes for at, point in enumerate(points) if point.sizes not in [p.sizes for p in points[:at]]]


def _written(function: LossFunction, whole: Sum, outer: Outer, seen: Confirmation) -> Decomposition:
    terms = [_term(piece.coefficient, piece.text) for piece in whole.pieces]
    if whole.intercept or not terms:
        terms.append(_term(whole.intercept, "1"))
    if outer is not PLAIN:
        inner = " + ".join(
            term.text if term.coefficient == 1 else f"{term.coefficient:.6g}·{term.text}" for term in terms
        )
        terms = [Term(1.0, typeset(outer.text.format(inner.replace("+ -", "- "))))]
    return Decomposition(terms, 0.0, seen.examples, seen.worst, _domain(function, seen))


def _term(coefficient: float, text: str) -> Term:
    return Term(coefficient, typeset(text), nearest(coefficient)[1])


def _domain(function: LossFunction, seen: Confirmation) -> str:
    parts = [f"{entry}" for entry in function.subject.spec.inputs]
    text = "; ".join(parts)
    if function.held:
        text += f"; no gradient passes through {', '.join(function.held)}"
    if seen.edges:
        text += f"; not at the edges {', '.join(seen.edges)}"
    return text
