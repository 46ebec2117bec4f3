"""empty-batch: a batch without samples gives outputs without samples."""

from collections.abc import Iterator, Mapping

from verifykit.checks.registry import Skip, check
from verifykit.experiments.observation import batch_of, outputs_of, plain_outputs
from verifykit.experiments.shapes.batches import mixes_samples
from verifykit.experiments.shapes.contract import WrongShape, compare, evidence_of, where_it_parts
from verifykit.experiments.shapes.refusals import complaint
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.dims import evaluate
from verifykit.spec.domain import Below
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import UNKNOWN, learn_outputs
from verifykit.spec.subject import Subject


@check("empty-batch", family="shape", requires=("determinism", "shape-contract"))
def empty_batch(subject: Subject) -> Iterator[Finding | Verified]:
    """A batch of no samples gives outputs of no samples, of the shape that larger batches have.

    What:
        Feeds a batch of 0 in eval mode and compares the outputs' shapes with the law that larger batches follow, and
        their dtypes with the usual ones. A lost dimension, or samples where none were given, is an error; another
        size of some other dimension of an empty tensor a warning, as is an exception. NaN, from a mean over nothing,
        is noted.

    Why it matters:
        A detector that finds nothing, a shard without data, an expert to whom no token is routed: each gives an empty
        batch, long after the tests were written.

    Wrong:
        def forward(self, x):
            return torch.stack([self.step(sample) for sample in x])  # nothing to stack

    Right:
        def forward(self, x):
            return self.step(x)

    When to ignore:
        When no caller can ever have an empty batch.
    """
    outputs = learn_outputs(subject)
    batch = batch_of(subject)
    if batch is None:
        raise Skip("no dimension of an input counts samples, or the output's shape follows no law")
    none = {**subject.spec.usual_sizes, batch.symbol: 0}
    if any(_has_no_values(subject, entry, none) for entry in subject.spec.inputs):
        raise Skip(f"where {batch.symbol} = 0 there is no index below {batch.symbol} to feed")
    try:
        given = outputs_of(subject, subject.build(), subject.draw(none))
    except Exception as error:
        message = f"an empty batch ({batch.symbol} = 0) raises{complaint(error)}"
        severity: Severity = "note" if mixes_samples(subject, batch) else "warning"
        yield Finding(message, severity, evidence_of(subject, none), raised_location(error))
        return
    laws = ", ".join(f"[{', '.join(map(str, output.shape))}]" for output in outputs)
    try:
        seen = [("", tuple(value.shape)) for value in given.values()]
        compare(outputs, seen, {**subject.spec.bound, **none}, laws)
    except WrongShape as wrong:
        values = list(given.values())
        invented = any(batch.outputs[output] == axis and values[output].numel() for output, axis in wrong.axes)
        yield Finding(
            f"for an empty batch, {wrong}",
            "error" if wrong.ranks or invented else "warning",
            evidence_of(subject, none),
            where_it_parts(subject, none),
        )
        return
    usual = plain_outputs(subject)
    for name, value in given.items():
        if name in usual and usual[name].dtype != value.dtype:
            yield Finding(
                f"{name} is {value.dtype} for an empty batch and {usual[name].dtype} for others",
                "warning",
                {"output": name, "empty": str(value.dtype), "otherwise": str(usual[name].dtype)},
            )
            return
    known = not any(UNKNOWN in output.shape for output in outputs)
    yield Verified(f"{'shape' if known else 'number of dimensions'} of the outputs at {batch.symbol} = 0", 1)
    blank = [name for name, value in given.items() if value.numel() and not value.isfinite().all()]
    if blank:
        yield Finding(
            f"{', '.join(blank)} is not finite for an empty batch: a mean over no sample",
            "note",
            evidence_of(subject, none),
        )


def _has_no_values(subject: Subject, entry: InputSpec, sizes: Mapping[str, int]) -> bool:
    """Whether the domain is empty, and elements are asked for: edges of a graph without nodes."""
    if not isinstance(entry.domain, Below):
        return False
    return evaluate(entry.domain.bound, {**subject.spec.bound, **sizes}) < 1 and 0 not in subject.spec.shape(
        entry, sizes
    )
