"""batch-permutation: the order of the samples in a batch does not matter."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.influence import Calls, Change, changed, says_nothing, where_they_part
from verifykit.experiments.observation import Batch, batch_of, plain_outputs
from verifykit.experiments.samples.doubts import as_batched, doubt_of, why_not_samples
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.dims import Dim, symbols
from verifykit.spec.outputs import UNKNOWN, learn_outputs
from verifykit.spec.subject import Subject


@check("batch-permutation", family="behaviour", requires=("determinism", "batch-independence"))
def batch_permutation(subject: Subject) -> Iterator[Finding | Verified]:
    """Samples in another order give the same outputs in that order, and the same loss.

    What:
        Permutes the samples of all inputs together, in several ways. Outputs that keep the batch must be permuted
        likewise; outputs that do not, such as a loss or a pooled value, must stay as they were, up to rounding.

    Why it matters:
        What depends on the place in the batch is noise to training, since the loader shuffles, and is wrong in
        serving. The usual causes are a table indexed along the batch instead of along time, the first sample taken
        as a reference, state carried on from sample to sample, and a loss that pairs neighbours.

    Wrong:
        def forward(self, x):  # (batch, time, features)
            return x + self.position[: x.shape[0], None]

    Right:
        def forward(self, x):
            return x + self.position[None, : x.shape[1]]

    When to ignore:
        When what lies along that dimension is a sequence, or pairs of neighbours by agreement with the loader.
    """
    subject = as_batched(subject)
    reason = why_not_samples(subject)
    if reason is not None:
        raise Skip(reason)
    batch = batch_of(subject)
    assert batch is not None  # or there would be a reason
    laws = learn_outputs(subject)
    clear = [i for i, law in enumerate(laws) if all(_is_clear(dim, batch.symbol) for dim in law.shape)]
    if not clear:
        raise Inconclusive(f"how the outputs' dimensions follow from {batch.symbol} is not known")
    calls, inputs = Calls(subject), subject.draw()
    before, tolerances = calls(inputs), calls.tolerances(inputs)
    if says_nothing(before):
        raise Inconclusive("no element of its outputs is a finite number")
    names = [name for index, name in enumerate(before) if index in clear]
    orders = _orders(subject.spec.usual_sizes[batch.symbol])
    for order in orders:
        moved = [_permuted(t, e.shape, batch.symbol, order) for t, e in zip(inputs, subject.spec.inputs, strict=True)]
        try:
            after = calls(moved)
        except Exception as error:
            raise Inconclusive(f"it refuses its samples in another order: {one_line(error)}") from error
        expected = {n: _permuted(before[n], laws[list(before).index(n)].shape, batch.symbol, order) for n in names}
        change = changed(expected, after, tolerances)
        if change is not None:
            location = where_they_part(subject, inputs, moved, partial(_is_permuted, order))
            yield _finding(subject, batch, change, order, location)
            return
    yield Verified(f"{', '.join(names)} under {len(orders)} orders of {len(orders[0])} samples", len(orders))


def _is_clear(dim: Dim, symbol: str) -> bool:
    return dim == symbol or (dim != UNKNOWN and symbol not in symbols(dim))


def _orders(count: int) -> list[list[int]]:
    ahead = [*range(1, count), 0]
    return [ahead, list(range(count))[::-1], [1, 0, *range(2, count)]]


def _permuted(tensor: Tensor, shape: Sequence[Dim], symbol: str, order: Sequence[int]) -> Tensor:
    for axis, dim in enumerate(shape):
        if dim == symbol:
            tensor = tensor.index_select(axis, torch.tensor(order, device=tensor.device))
    return tensor


def _is_permuted(order: Sequence[int], before: Tensor, after: Tensor) -> bool:
    """Whether the values are the same, or the same in the new order along some dimension."""
    index = torch.tensor(order, device=before.device)
    ways = [before.index_select(a, index) for a, size in enumerate(before.shape) if size == len(order)]
    for a, size in enumerate(before.shape):
        if size > len(order) and size % len(order) == 0:
            split = before.reshape(*before.shape[:a], len(order), -1, *before.shape[a + 1 :])
            ways.append(split.index_select(a, index).reshape(before.shape))
    return any(torch.allclose(way, after, rtol=1e-9, atol=1e-12, equal_nan=True) for way in (before, *ways))


def _finding(
    subject: Subject, batch: Batch, change: Change, order: Sequence[int], location: Location | None
) -> Finding:
    position = list(plain_outputs(subject)).index(change.output)
    axis = batch.outputs[position]
    error = change.difference.error
    if axis is None:
        message = f"{change.output} changes by {error:.2g} when the samples come in the order {list(order)}"
    else:
        moved = order[change.index[axis]]
        message = (
            f"{change.output} of sample {moved} changes by {error:.2g} when it comes at place {change.index[axis]} "
            "of the batch: it depends on where a sample stands"
        )
    doubt = doubt_of(subject, batch)
    severity: Severity = "warning" if doubt else "error"
    note = f". It may be meant: {doubt}" if doubt else ""
    return Finding(f"{message}{note}", severity, {"order of the samples": list(order), **change.evidence}, location)
