"""python-loop: the number of operators does not grow with the batch or another size."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.behaviour.scaling import Series, series
from verifykit.experiments.observation import batch_of, outputs_of
from verifykit.results import Finding, Location, Verified
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

# Each twice the one before, so that what grows linearly grows twice as much from the second to the third.
CHOICES = ((4, 8, 16), (6, 12, 24), (7, 14, 28), (9, 17, 33))


@dataclass(frozen=True)
class Count:
    """Calls of torch functions: how many, at which lines, and the longest chain in which each needs the one before."""

    total: int
    lines: Counter[Location | None]
    depth: int


@check("python-loop", family="smells", severity="warning")
def python_loop(subject: Subject) -> Iterator[Finding | Verified]:
    """The number of torch operators that forward calls does not grow with the batch or the length.

    What:
        Counts the torch functions that the code calls at three sizes of each symbolic dimension. Where they grow in
        proportion, names the line that is repeated most and how many calls one more sample or step costs. Steps
        that each need the result of the one before, as in a recurrence, are a note.

    Why it matters:
        Each call costs microseconds of Python and, on a GPU, a kernel launch. A loop over the batch pays them for each
        sample, where one batched operator pays once.

    Wrong:
        def forward(self, x):
            return torch.stack([self.score(sample) for sample in x])

    Right:
        def forward(self, x):
            return self.score(x)

    When to ignore:
        When the size is small by nature, or the operator has no batched form.
    """
    if not subject.spec.free:
        raise Skip("no input has a symbolic dimension; write one as a name, such as float[N, 5]")
    batch = batch_of(subject)
    front = {entry.shape[0] for entry in subject.spec.inputs if entry.shape}
    samples = {batch.symbol} if batch is not None else front
    looked = []
    told: set[Location | None] = set()
    for found in series(subject, CHOICES, partial(_count, subject)):
        looked.append(found.symbol)
        finding = _finding(found, is_batch=found.symbol in samples)
        if finding is not None and finding.location not in told:
            told.add(finding.location)
            yield finding
    if not looked:
        raise Inconclusive("no three sizes, each twice the one before, were accepted and soon computed")
    yield Verified(f"number of operators as {', '.join(looked)} grows", len(looked) * 3)


def _count(subject: Subject, sizes: dict[str, int]) -> Count:
    module, inputs = subject.build(), subject.draw(sizes)
    outputs_of(subject, module, inputs)  # raises where these sizes are refused
    steps = [step for step in trace(partial(outputs_of, subject, module, inputs)) if _computes(step)]
    depths: dict[int, int] = {}
    alive = []
    for step in steps:
        depth = 1 + max((depths.get(id(t), 0) for t in step.inputs), default=0)
        depths.update({id(t): depth for t in step.outputs})
        alive += [*step.inputs, *step.outputs]  # ids stay unique while their tensors live
    return Count(len(steps), Counter(step.location for step in steps), max(depths.values(), default=0))


def _computes(step: Step) -> bool:
    """Whether a call makes an operator run, rather than asks for a size or a type."""
    name = step.name.rpartition(".")[2]
    return name in ("item", "__setitem__", "__bool__", "__float__", "__int__") or bool(
        step.outputs and name != "__get__"
    )


def _finding(found: Series, *, is_batch: bool) -> Finding | None:
    totals = [count.total for count in found.seen]
    steps = [other - one for one, other in pairwise(totals)]
    spans = [other - one for one, other in pairwise(found.sizes)]
    slopes = [step / span for step, span in zip(steps, spans, strict=True)]
    if slopes[0] < 1 or slopes[1] < 0.9 * slopes[0]:  # growth that levels off is no loop over this size
        return None
    first, last = found.seen[0], found.seen[-1]
    grown = Counter({line: last.lines[line] - first.lines[line] for line in last.lines})
    line, most = grown.most_common(1)[0]
    span = found.sizes[-1] - found.sizes[0]
    depth = (last.depth - first.depth) / span
    linear = slopes[1] < 1.1 * slopes[0]
    law = f"{slopes[1]:g}*{found.symbol}" if linear else f"faster than {found.symbol}"
    chained = depth >= 1 and not is_batch
    message = f"the number of operators grows as {law}: {most / span:g} at this line for each unit of {found.symbol}"
    if chained:
        message += ", each step needing the one before"
    counts = {f"{found.symbol} = {size}": count.total for size, count in zip(found.sizes, found.seen, strict=True)}
    return Finding(message, "note" if chained else "warning", {"operators": counts}, line)
