"""Which known operation a subject is: candidates are screened, the best confirmed, the nearest kept."""

import difflib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import torch

from verifykit.identify.agreement import Agreement, agreement
from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.catalogue.candidates import candidates as built_in
from verifykit.identify.definitions.candidates import candidates as defined
from verifykit.identify.definitions.generic import candidates as changed
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.numbers import simple
from verifykit.identify.provisos import holds_for_more_dimensions, provisos
from verifykit.identify.resizing import follows
from verifykit.identify.screening import SAME, Screen, evaluate, screen_of
from verifykit.results.identity import Relation
from verifykit.spec.effort import effort
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

# Where candidates come from, with seconds of work for each; of one source so many are screened, and no more looked at
# thoroughly after so many were refuted: of those that give the outputs as they are, and of others.
Source = Callable[[Facts], Iterator[Candidate]]
SOURCES: tuple[tuple[Source, float], ...] = ((built_in, 5.0), (defined, 3.0), (changed, 1.5))
SCREENED, MOST, CONFIRMED = 3000, 24, 5
# Screened on after one was confirmed, in case that a simpler one does the same.
AFTERWARDS = 200
# Names that share this much, from 0 to 1, are taken to speak of one operation.
ALIKE = 0.6
# A candidate that leaves no more of the spread is near: close, and not equal.
NEAR = 0.1


@dataclass(frozen=True)
class Found:
    """What a subject is: the relation, how the candidate corresponds, and what was established. ``up_to`` says what
    differs and leaves it the same operation, ``deviations`` what makes another of it; ``holds`` says that it is this
    one everywhere, ``odd`` that torch advises against calling the candidate so, or that it takes more dimensions and
    differs there.
    """

    relation: Relation
    match: Match
    agreement: Agreement
    up_to: tuple[str, ...]
    deviations: tuple[str, ...]
    holds: bool
    odd: bool


def identified(subject: Subject) -> Found | None:
    """Return what ``subject`` is, ``None`` where nothing comes near; found once. What it raises passes through."""
    return subject.once("identified", lambda: _identified(facts_of(subject), SOURCES))


def built_in_equal(subject: Subject) -> Reference | None:
    """Return the built-in of torch that ``subject`` equals, other than itself, ``None`` where none is found in three
    seconds of work; found once. What the subject raises passes through.
    """
    found = subject.once("built-in", lambda: _identified(facts_of(subject), ((built_in, 3.0),)))
    if found is None or found.relation == "close" or not found.match.is_plain:
        return None  # what differs by a factor is no replacement
    reference = found.match.candidate.reference
    return None if reference.target.obj is subject.target.obj else replace(reference, order=found.match.order)


def _identified(facts: Facts, sources: Sequence[tuple[Source, float]]) -> Found | None:
    screen = screen_of(facts)
    if not screen.varied:
        return None
    search = _Search(facts, screen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # candidates are tried with arguments that they may advise against
        for source, seconds in sources:
            if search.is_done:
                break
            search.begin(effort() + seconds)
            for candidate in islice(source(facts), SCREENED):
                if search.is_over(candidate):
                    break
                search.look_at(candidate)
        return search.best()


class _Search:
    def __init__(self, facts: Facts, screen: Screen) -> None:
        self.facts = facts
        self.screen = screen
        self.found: list[Found] = []
        self.refuted: list[Found] = []
        self.near: list[Match] = []
        self.since = 0
        self.deadline, self.before = 0.0, 0

    @property
    def is_done(self) -> bool:
        """Whether an operation is known that is equal without any reserve."""
        return any(found.relation == "identical" and not found.odd for found in self.found)

    def begin(self, deadline: float) -> None:
        """Turn to another source of candidates, until ``deadline`` by :func:`effort`."""
        self.deadline, self.before = deadline, len(self.refuted)

    def is_over(self, candidate: Candidate) -> bool:
        """Whether an equal operation is known and what follows is not going to be a simpler one, or the time is up."""
        equal = any(found.relation != "close" for found in self.found)
        self.since += equal
        settled = equal and (self.since > AFTERWARDS or bool(candidate.deviations))
        return settled or effort() > self.deadline

    def look_at(self, candidate: Candidate) -> None:
        """Screen ``candidate``; where it gives the outputs, and more simply than one that is known to, confirm it."""
        simplest = (len(candidate.deviations), 0, False, candidate.rank, len(candidate.reference.init))
        if any(_order(found) < simplest for found in self.found):
            return
        match = self.screen.matches(candidate)
        if match is None:
            return
        if match.residual > SAME:
            self.near.append(match)
            return
        if len(self.refuted) >= (MOST if match.is_plain and not match.deviations else CONFIRMED) + self.before:
            return
        found = self._confirmed(match)
        (self.found if found.holds else self.refuted).append(found)

    def best(self) -> Found | None:
        """The simplest of those that hold; else the nearest of those that nearly do."""
        if self.found:
            label = self.facts.subject.target.label
            return min(self.found, key=lambda found: (_order(found), _fame(found, label)))
        nearest = sorted(self.near, key=lambda match: (match.residual, match.candidate.rank))
        close = [match for match in nearest if match.residual <= NEAR][:1]
        return next(chain(self.refuted, map(self._confirmed, close)), None)

    def _confirmed(self, match: Match) -> Found:
        established = agreement(self.facts, match)
        up_to, deviations = [*match.notes], [*match.deviations]
        if not match.is_plain:
            (up_to if self._is_meant(match) else deviations).append(_relation_text(match))
        holds = established.holds
        if holds and not follows(self.facts, match):
            usual = ", ".join(f"{name} = {size}" for name, size in self.facts.subject.spec.usual_sizes.items())
            deviations.append(f"it is the same at {usual} and not at other sizes")
            holds = False
        if holds:
            up_to += provisos(self.facts, match)
        equal: Relation = "identical up to" if up_to else "identical"
        relation: Relation = "close" if deviations or not holds else equal
        narrow = holds and not holds_for_more_dimensions(self.facts, match)
        if narrow:
            note = "with one dimension more, which it takes as well, the two differ"
            established = replace(established, notes=(*established.notes, note))
        odd = narrow or self._warns(match)
        return Found(relation, match, established, tuple(up_to), tuple(deviations), holds, odd)

    def _warns(self, match: Match) -> bool:
        reference, facts = match.candidate.reference, self.facts
        module = reference.build(torch.float64, facts.subject.device, seed=facts.subject.seed)
        fed = [facts.inputs[position] for position in match.order]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            evaluate(match.candidate, module, match.arrangement, facts.state, fed)
        return bool(told)

    def _is_meant(self, match: Match) -> bool:
        """Whether a factor and an offset are numbers that somebody would write: others come from the sizes at hand."""
        return all(value in (0.0, 1.0) or simple(value) is not None for value in (match.scale, match.offset))


def _relation_text(match: Match) -> str:
    scale, offset = (simple(value) or f"{value:.6g}" for value in (match.scale, match.offset))
    if match.offset == 0.0:
        return f"a factor of {scale}"
    if match.scale == 1.0:
        return f"a constant of {offset} that is added"
    return f"an affine map: {scale} times it plus {offset}"


def _order(found: Found) -> tuple[int, int, bool, int, int]:
    candidate = found.match.candidate
    return len(found.deviations), len(found.up_to), found.odd, candidate.rank, len(candidate.reference.init)


def _fame(found: Found, label: str) -> tuple[bool, bool, bool, int]:
    """Orders operations that are as simple, the one first that a person would name: nothing at all, one for any number
    of dimensions, one whose name is like that of the target, a short one.
    """
    name = found.match.candidate.operation.rpartition(".")[2].lower()
    alike = difflib.SequenceMatcher(None, name, label.lower()).ratio() >= ALIKE
    return name != "identity", re.search(r"\dd$", name) is not None, not alike, len(name)
