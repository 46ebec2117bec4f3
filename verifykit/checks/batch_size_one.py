"""batch-size-one: a sample alone gets what it gets in a larger batch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.observation import Batch, batch_of, outputs_of
from verifykit.experiments.shapes.batches import can_take, disagreement, mixes_samples, take, tolerances
from verifykit.experiments.shapes.contract import WrongShape, compare, evidence_of, where_it_parts
from verifykit.experiments.shapes.refusals import complaint
from verifykit.results import Finding, OutputFacts, Severity, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.outputs import UNKNOWN, learn_outputs, observe
from verifykit.spec.subject import Subject

SAMPLES = 4


@check("batch-size-one", family="shape", requires=("determinism", "shape-contract"))
def batch_size_one(subject: Subject) -> Iterator[Finding | Verified]:
    """A batch of one sample works, keeps its dimensions, and gives what that sample gets in a larger batch.

    What:
        Feeds one sample in eval mode, compares the output's shape with the law that larger batches follow, and its
        values with those that the same sample gets among others, where samples are seen to be independent of one
        another. For a loss that averages or adds over samples, pairs and single ones must add up. Says also where
        training mode refuses a single sample.

    Why it matters:
        The last batch of an epoch, and nearly every request in production, has one sample. A dimension that disappears
        then breaks the code behind it, or broadcasts silently.

    Wrong:
        def forward(self, x):
            return self.score(x).squeeze()  # (1, 1) becomes ()

    Right:
        def forward(self, x):
            return self.score(x).squeeze(-1)  # (1, 1) becomes (1,)

    When to ignore:
        When the module is only meant for several samples at once, as a contrastive loss is.
    """
    outputs = learn_outputs(subject)
    batch = batch_of(subject)
    if batch is None:
        raise Skip("no dimension of an input counts samples, or the output's shape follows no law")
    one = {**subject.spec.usual_sizes, batch.symbol: 1}
    module = subject.build()
    try:
        single = outputs_of(subject, module, subject.draw(one))
    except Exception as error:
        yield _raises(subject, batch, one, error)
        return
    try:
        seen = [("", tuple(value.shape)) for value in single.values()]
        laws = ", ".join(f"[{', '.join(map(str, output.shape))}]" for output in outputs)
        compare(outputs, seen, {**subject.spec.bound, **one}, laws)
    except WrongShape as wrong:
        yield _lost(subject, one, wrong)
        return
    known = not any(UNKNOWN in output.shape for output in outputs)
    yield Verified(f"{'shape' if known else 'number of dimensions'} of the outputs at {batch.symbol} = 1", 1)
    if can_take(subject, batch):
        yield from _values(subject, module, batch, outputs)
    yield from _training(subject, batch, one)


def _raises(subject: Subject, batch: Batch, one: Mapping[str, int], error: Exception) -> Finding:
    try:
        observe(subject, {**one, batch.symbol: 2})
    except Exception:  # not a matter of one sample: shape-contract tells from where on
        raise Skip(f"it takes more than two samples only: {batch.symbol} = 2 raises as well") from None
    message = f"a batch of one sample ({batch.symbol} = 1) raises in eval mode{complaint(error)}"
    severity: Severity = "note" if mixes_samples(subject, batch) else "warning"
    return Finding(message, severity, evidence_of(subject, one), raised_location(error))


def _lost(subject: Subject, one: dict[str, int], wrong: WrongShape) -> Finding:
    shapes = [observe(subject, one, seed=seed).outputs for seed in range(5)]
    if any(other != shapes[0] for other in shapes):
        raise Inconclusive("the output's shape depends on the values of the input, not on its sizes alone")
    # A vector of samples may as well be one vector, whose law may begin at two elements.
    certain = wrong.ranks or len(subject.spec.inputs[0].shape) > 1
    return Finding(
        f"for a batch of one sample, {wrong}",
        "error" if certain else "warning",
        evidence_of(subject, one),
        where_it_parts(subject, one),
    )


@dataclass
class _Batches:
    """What the module gives for some of the samples of one batch."""

    subject: Subject
    module: nn.Module
    batch: Batch
    inputs: tuple[Tensor, ...]

    def given(self, *samples: int) -> list[Tensor]:
        return list(outputs_of(self.subject, self.module, take(self.inputs, self.batch, samples)).values())


def _values(
    subject: Subject, module: nn.Module, batch: Batch, outputs: list[OutputFacts]
) -> Iterator[Finding | Verified]:
    inputs = subject.draw({batch.symbol: SAMPLES})
    batches = _Batches(subject, module, batch, inputs)
    bounds = list(tolerances(subject, inputs).values())
    whole = batches.given(*range(SAMPLES))
    names = list(outputs_of(subject, module, inputs))
    singles = [batches.given(sample) for sample in range(SAMPLES)]
    compared = 0
    for index, (name, axis) in enumerate(zip(names, batch.outputs, strict=True)):
        # Two evaluations are compared, each with its own rounding.
        bound = 2 * bounds[index]
        if axis is None:
            expected, found = _added_up(batches, index, bound, singles)
        else:
            expected, found = _side_by_side(batches, index, axis, bound, singles)
        if expected is None:
            if all(value[index].isfinite().all() for value in (whole, batches.given(0, 1))) and not all(
                value[index].isfinite().all() for value in singles
            ):
                yield Finding(
                    f"{name} is not finite for one sample, though it is for two or more of the same samples",
                    "warning",
                    {"output": name, "value": singles[0][index].flatten()[:8].tolist()},
                )
                return
            continue
        worst = disagreement(found, expected, bound)
        if worst is not None:
            evidence = {
                "output": name,
                "sample": worst.index[axis] if axis is not None else None,
                "element": list(worst.index),
                "alone": worst.actual,
                "among others": worst.expected,
                "tolerance": bound,
            }
            yield Finding(
                f"{name} at {list(worst.index)} is {worst.actual:.6g} for a sample alone and {worst.expected:.6g} "
                f"{'for it among others' if axis is not None else 'as what larger batches say of it'}, "
                "though samples do not depend on one another in batches of two and more",
                "error",
                evidence,
                where_it_parts(subject, {**subject.spec.usual_sizes, batch.symbol: 1}),
            )
            return
        compared += 1
    if compared:
        yield Verified(
            f"{compared} of {len(names)} outputs: a sample alone as among others", SAMPLES, None, "rounding measured"
        )


def _side_by_side(
    batches: _Batches, index: int, axis: int, bound: float, singles: list[list[Tensor]]
) -> tuple[Tensor | None, Tensor]:
    """What samples get among others, and alone; nothing where others have influence in batches of two and more."""
    whole = batches.given(*range(SAMPLES))[index]
    alone = [single[index] for single in singles]
    if any(s.shape[:axis] + s.shape[axis + 1 :] != whole.shape[:axis] + whole.shape[axis + 1 :] for s in alone):
        return None, whole  # another size follows the values
    found = torch.cat(alone, axis)
    for pair in ((0, 1), (0, 3), (2, 3)):
        given = batches.given(*pair)[index]
        expected = whole.index_select(axis, torch.tensor(pair, device=whole.device))
        if given.shape != expected.shape or disagreement(given, expected, bound) is not None:
            return None, found
    return (whole, found) if whole.shape == found.shape else (None, found)


def _added_up(batches: _Batches, index: int, bound: float, singles: list[list[Tensor]]) -> tuple[Tensor | None, Tensor]:
    """What one pair gives, and its two samples averaged or added; nothing where larger batches do neither."""
    whole = batches.given(*range(SAMPLES))[index]
    alone = [single[index] for single in singles]
    if not whole.is_floating_point() or any(value.shape != whole.shape for value in alone):
        return None, whole
    for share in (0.5, 1.0):
        halves = [((0, 1), (2, 3)), ((0, 2), (1, 3))]
        sums = [share * (batches.given(*one)[index] + batches.given(*other)[index]) for one, other in halves]
        if all(disagreement(total, whole, bound) is None for total in sums):
            return batches.given(0, 1)[index], share * (alone[0] + alone[1])
    return None, whole


def _training(subject: Subject, batch: Batch, one: Mapping[str, int]) -> Iterator[Finding]:
    module = subject.build(training=True)
    if not any(type(part).forward is not nn.Module.forward for part in module.children()):
        return
    two = {**one, batch.symbol: 2}
    try:
        outputs_of(subject, module, subject.draw(two))
    except Exception:
        return
    try:
        outputs_of(subject, module, subject.draw(one))
    except Exception as error:
        yield Finding(
            f"in training mode a batch of one sample raises{complaint(error)}: drop the last batch of an epoch where "
            "it may have one sample",
            "note",
            evidence_of(subject, one),
            raised_location(error),
        )
