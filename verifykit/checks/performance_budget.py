"""performance-budget: no slower, no larger and no steeper than its budgets allow."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.config import Budgets
from verifykit.errors import one_line
from verifykit.profiling.budgets import Held, memory_ratios, slowdowns, time_exponents
from verifykit.profiling.sizes import profiling_sizes
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_at
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject


@check("performance-budget", family="performance")
def performance_budget(subject: Subject) -> Iterator[Finding | Verified]:
    """Time and peak memory beside the reference, and growth of time, keep within their budgets.

    What:
        Holds forward and a training step against the reference in one run, both timed in turn, so that what the
        machine does meanwhile cancels: against max-slowdown, and the peak memory of a step against max-memory-ratio.
        Fits the exponent with which the time of a step grows along a free size, for max-time-exponent. A breach is
        one only where the whole 95 % interval lies beyond the budget, and does so again for three fresh copies of
        both. Where the budget lies inside, it is inconclusive. Budgets stand in pyproject.toml or __verifykit__.

    Why it matters:
        A module that has become slow is found when the training run is late. Ratios hold on every machine, where a
        limit in milliseconds fails on a busy one.

    Wrong:
        def forward(self, x):  # max-slowdown = 1.2 against torch.nn:Linear
            return torch.stack([self.weight @ row for row in x]) + self.bias

    Right:
        def forward(self, x):
            return torch.addmm(self.bias, x, self.weight.T)

    When to ignore:
        When the budget is no longer what is needed: then change it.
    """
    if subject.budgets == Budgets():
        raise Skip("no budget is set; max-slowdown, max-memory-ratio or max-time-exponent in pyproject.toml sets one")
    undecided: list[str] = []
    for held in _measured(subject):
        if isinstance(held, str):
            undecided.append(held)
            continue
        told, limit = _told(held, subject)
        if held.verdict == "beyond":
            yield Finding(f"{told}, more than {limit} allows", evidence=_evidence(held))
        elif held.verdict == "undecided":
            undecided.append(f"{told}, too near to {limit} to tell")
        else:
            yield Verified(told, 1, tolerance=limit)
    if undecided:
        raise Inconclusive("; ".join(undecided))


def _measured(subject: Subject) -> Iterator[Held | str]:
    """What each budget is held against, or why that is not known."""
    budgets, against = subject.budgets, subject.reference
    parts: list[Callable[[Mapping[str, int]], list[Held | str]]] = []
    for name, limit, ratios in (
        ("max-slowdown", budgets.max_slowdown, slowdowns),
        ("max-memory-ratio", budgets.max_memory_ratio, memory_ratios),
    ):
        if limit is not None and against is None:
            yield f"{name} = {limit:g} needs a reference, and none is given: use --reference or pyproject.toml"
        elif limit is not None:
            parts.append(partial(ratios, subject, limit=limit))
    if budgets.max_time_exponent:
        parts.append(partial(time_exponents, subject, limits=budgets.max_time_exponent))
    with seeded(subject.seed):
        for part in parts:
            try:
                yield from part(profiling_sizes(subject, {}))
            except Exception as error:  # the module's own, or the reference's
                yield f"it could not be measured{raised_at(error)}: {one_line(error)}"


def _told(held: Held, subject: Subject) -> tuple[str, str]:
    if held.budget == "max-time-exponent":
        law = f"time grows as {held.what}^{held.value:.2f} ± {held.high - held.value:.2f}"
        return law, f"{held.budget} = {{{held.what} = {held.limit:g}}}"
    interval = f" ({held.low:.3g} to {held.high:.3g})" if held.low < held.high else ""
    told = f"the {held.what} is {held.value:.3g}{interval} times that of {subject.reference}"
    return told, f"{held.budget} = {held.limit:g}"


def _evidence(held: Held) -> dict[str, object]:
    return {"measured": held.value, "from": held.low, "to": held.high, held.budget: held.limit}
