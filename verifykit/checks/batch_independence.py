"""batch-independence: in eval mode, no sample has a say in the output of another."""

from collections.abc import Iterator

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.influence import where_they_part
from verifykit.experiments.observation import Batch, batch_of, plain_outputs
from verifykit.experiments.samples.doubts import as_batched, doubt_of, why_not_samples
from verifykit.experiments.samples.mixing import (
    Mixing,
    agrees_within,
    kept_outputs,
    mixing_of,
    why_undecided,
    with_sample,
)
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.subject import Subject


@check("batch-independence", family="behaviour", requires=("determinism",))
def batch_independence(subject: Subject) -> Iterator[Finding | Verified]:
    """In eval mode, each sample's output depends on that sample alone.

    What:
        Replaces one sample at a time, by other values, by values a million times as large and by NaN, and compares
        the outputs of the other samples with what they were, up to rounding. Asks the gradient too: the output of one
        sample sends none to the inputs of another.

    Why it matters:
        A prediction that depends on who else is in the batch cannot be reproduced, changes with the batch size, and
        leaks information between users in serving. The usual cause is a softmax, mean or norm over the wrong
        dimension, a reshape that moves values across samples, or attention over the batch.

    Wrong:
        def forward(self, x):
            return self.linear(x).softmax(dim=0)  # over the samples

    Right:
        def forward(self, x):
            return self.linear(x).softmax(dim=-1)

    When to ignore:
        When samples are meant to interact: layers over sets, graphs or whole batches.
    """
    subject = as_batched(subject)
    reason = why_not_samples(subject)
    if reason is not None:
        raise Skip(reason)
    batch = batch_of(subject)
    assert batch is not None  # or there would be a reason
    kept = kept_outputs(subject, batch)
    if not kept:
        pairs = any(law.shape.count(batch.symbol) > 1 for law in learn_outputs(subject))
        raise Skip("its output relates the samples to one another" if pairs else f"no output keeps {batch.symbol}")
    undecided = why_undecided(subject, batch)
    if undecided is not None:
        raise Inconclusive(undecided)
    mixing = mixing_of(subject, batch)
    if mixing is not None:
        yield _finding(subject, batch, mixing)
    if mixing is None or mixing.how in ("huge values", "NaN"):
        count = subject.spec.usual_sizes[batch.symbol]
        yield Verified(f"each of {count} samples ({batch.symbol}) keeps its output when another changes", count)


def _finding(subject: Subject, batch: Batch, mixing: Mixing) -> Finding:
    change, location = mixing.change, _where(subject, batch, mixing)
    axis = _axis_of(subject, batch, change.output)
    sample = change.index[0] if mixing.how == "gradient" else change.index[axis] if axis is not None else None
    what = f"{change.output}{'' if sample is None else f' of sample {sample}'}"
    evidence = {f"sample of the output ({batch.symbol})": sample, "sample that was changed": mixing.changed_sample}
    evidence = {key: value for key, value in evidence.items() if value is not None}
    if mixing.how == "NaN":
        message = f"NaN in sample {mixing.changed_sample} spreads to {what}: one bad sample spoils its batch"
        return Finding(message, "note", {**evidence, **change.evidence}, location)
    if mixing.how == "huge values":
        message = f"{what} changes by {change.difference.error:.2g} when sample {mixing.changed_sample} alone is huge"
        return Finding(f"{message} (about 1e6): a scale or an offset is shared by the batch", "warning",
                       {**evidence, **change.evidence}, location)  # fmt: skip
    doubt = doubt_of(subject, batch)
    severity: Severity = "warning" if doubt else "error"
    note = f". It may be meant: {doubt}" if doubt else ""
    if mixing.how == "gradient":
        message = f"the backward of {what} sends a gradient to sample {mixing.changed_sample} of the inputs{note}"
        numbers = {"gradient": change.difference.actual, "rounding allows": change.difference.tolerance}
        return Finding(message, severity, {**evidence, **numbers}, location)
    if sample is None:
        message = f"{change.output} at {list(change.index)} changes with sample {mixing.changed_sample} and another"
    else:
        message = f"{what} changes by {change.difference.error:.2g} when only sample {mixing.changed_sample} does"
    return Finding(f"{message}{note}", severity, {**evidence, **change.evidence}, location)


def _axis_of(subject: Subject, batch: Batch, output: str) -> int | None:
    return batch.outputs[list(plain_outputs(subject)).index(output)]


def _where(subject: Subject, batch: Batch, mixing: Mixing) -> Location | None:
    """The first operation that lets a change of one sample out of it."""
    inputs = subject.draw()
    how = "other values" if mixing.how == "gradient" else mixing.how
    other = with_sample(subject, batch, inputs, mixing.changed_sample, how)
    count = subject.spec.usual_sizes[batch.symbol]
    return where_they_part(subject, inputs, other, agrees_within(mixing.changed_sample, count))
