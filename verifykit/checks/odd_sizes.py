"""odd-sizes: every size is used to its end, also one that is no multiple of a stride, a patch or a window."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

from verifykit.checks.registry import Skip, check
from verifykit.experiments.observation import Batch, batch_of, outputs_of
from verifykit.experiments.shapes.contract import MOST_ELEMENTS, elements_of, evidence_of
from verifykit.experiments.shapes.influence import Place, influence, is_batched, substituted
from verifykit.experiments.shapes.refusals import complaint, is_own_words
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.domain import Simplex, Sorted
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

# More than two rounds of a stride or window of 8.
SIZES = range(7, 26)
# Here every remainder of a stride up to 8 has been seen.
ENOUGH = 15
# A position that is without influence is tried with so many other inputs around it.
CONFIRMED = 7
# Their last window is known to end before the input does: a pooling by 2 that leaves one of 7 out is common practice.
POOLING = ("pool1d", "pool2d", "pool3d")
CONVOLUTION = ("conv1d", "conv2d", "conv3d")


@dataclass
class Seen:
    """What was seen as one symbol took one size after another: positions without influence at the sizes that are
    taken, the sizes of each output dimension, and what the others raise.
    """

    lost: dict[int, list[int]] = field(default_factory=dict)
    shapes: dict[int, list[tuple[int, ...]]] = field(default_factory=dict)
    raised: dict[int, Exception] = field(default_factory=dict)

    @property
    def whole(self) -> list[int]:
        """The sizes at which every position has influence."""
        return [size for size, lost in self.lost.items() if not lost]

    @property
    def cut(self) -> dict[int, list[int]]:
        """The sizes that lose positions, a minority of them, where what is lost repeats with some period in which one
        size loses none; what a mask or its values hide comes and goes without a rule.
        """
        lost = {size: positions for size, positions in self.lost.items() if positions}
        if not lost or not self.whole or any(2 * len(positions) >= size for size, positions in lost.items()):
            return {}
        return lost if any(self._repeats(period) for period in range(2, len(self.lost) // 2 + 1)) else {}

    def _repeats(self, period: int) -> bool:
        counts: dict[int, set[int]] = {}
        for size, positions in self.lost.items():
            counts.setdefault(size % period, set()).add(len(positions))
        return all(len(seen) == 1 for seen in counts.values())


@check("odd-sizes", family="shape", severity="warning", requires=("determinism", "shape-contract"))
def odd_sizes(subject: Subject) -> Iterator[Finding | Verified]:
    """Sizes that are no multiple of a stride, patch or window are neither cut short nor a cause of obscure errors.

    What:
        Takes sizes from 7 to 25 of every symbolic dimension but the batch's, one by one, puts other values into the
        each position, and looks whether any output changes. Positions that are without influence at some sizes, while
        a larger size has none such, are lost: the end beyond the last window, as a rule. What a pooling loses, or a
        convolution of a single position, is noted; the rest is a warning. So is an output that keeps even sizes and
        not odd ones. Sizes that break between sizes that work are noted.

    Why it matters:
        A patch embedding that floors its grid does not see the right edge of most photographs, and no shape says so.

    Wrong:
        def forward(self, x):
            pairs = x[:, : x.shape[1] // 2 * 2].reshape(x.shape[0], -1, 2)  # an odd last element is gone
            return pairs.sum(-1)

    Right:
        def forward(self, x):
            pairs = F.pad(x, (0, x.shape[1] % 2)).reshape(x.shape[0], -1, 2)
            return pairs.sum(-1)

    When to ignore:
        When dropping an incomplete window is what the module is documented to do.
    """
    batch = batch_of(subject)
    symbols = {name: place for name in subject.spec.free if (place := _place(subject, batch, name)) is not None}
    if not symbols:
        raise Skip("no input has a symbolic dimension besides that of the batch")
    told = False
    places = set[Location | None]()
    for name, place in symbols.items():
        seen = _seen(subject, batch, name, place)
        uneven = _uneven(seen)
        if seen.cut or uneven:
            told = True
            finding = _finding(subject, name, place, seen, uneven)
            if finding.location not in places:  # one line that cuts height and width is one cause
                yield finding
            places.add(finding.location)
            continue
        yield from _refused(subject, name, seen)
        if seen.whole:
            told = True
            sizes = f"{len(seen.whole)} sizes from {seen.whole[0]} to {seen.whole[-1]}"
            yield Verified(f"every position along {name} has influence, at {sizes}", len(seen.whole))
    if not told:
        raise Skip(f"at every size some positions along {', '.join(symbols)} have no influence: no end to lose")


def _place(subject: Subject, batch: Batch | None, name: str) -> Place | None:
    if batch is not None and name == batch.symbol:
        return None
    for index, entry in enumerate(subject.spec.inputs):
        if list(entry.shape).count(name) == 1 and not isinstance(entry.domain, Simplex | Sorted):
            return Place(index, (list(entry.shape).index(name),))
    return None


def _seen(subject: Subject, batch: Batch | None, name: str, place: Place) -> Seen:
    seen, module = Seen(), subject.build()
    fast = is_batched(subject, batch, place)
    for size in SIZES:
        sizes = {**subject.spec.usual_sizes, name: size}
        settled = size > ENOUGH and seen.shapes and not any(seen.lost.values())
        if settled or elements_of(subject, sizes) * size > MOST_ELEMENTS:
            break
        try:
            given = outputs_of(subject, module, subject.draw(sizes))
            seen.shapes[size] = [tuple(value.shape) for value in given.values()]
        except Exception as error:
            seen.raised[size] = error
            continue
        # One call tells of all positions; where it takes one call each, the end alone is looked at first.
        last = [(size - 1,)]
        if not fast and _idle(subject, module, batch, sizes, place, last) == []:
            seen.lost[size] = []
            continue
        idle = _idle(subject, module, batch, sizes, place, [(at,) for at in range(size)])
        for seed in range(10, 10 * CONFIRMED, 10):  # what a maximum or a mask hid once may show itself yet
            if idle and 2 * len(idle) < size:
                idle = _idle(subject, module, batch, sizes, place, [(at,) for at in idle], seed)
        seen.lost[size] = idle
    return seen


def _idle(
    subject: Subject,
    module: nn.Module,
    batch: Batch | None,
    sizes: Mapping[str, int],
    place: Place,
    positions: Sequence[tuple[int, ...]],
    seed: int = 0,
) -> list[int]:
    """Those of ``positions`` that no output depends on."""
    marks = influence(subject, module, batch, sizes, place, positions, seed=seed)
    return [at for number, (at,) in enumerate(positions) if not any(mark[number].any() for mark in marks)]


def _uneven(seen: Seen) -> tuple[int, int] | None:
    """The first size that an output dimension does not keep, and what becomes of it, where others, smaller and larger,
    are kept and off by little.
    """
    first = next(iter(seen.shapes.values()), [])
    if any([len(s) for s in shapes] != [len(s) for s in first] for shapes in seen.shapes.values()):
        return None
    for output, shape in enumerate(first):
        for axis in range(len(shape)):
            sizes = {size: shapes[output][axis] for size, shapes in seen.shapes.items()}
            kept = [size for size, given in sizes.items() if given == size]
            others = [size for size, given in sizes.items() if given != size]
            between = [size for size in others if kept and kept[0] < size < kept[-1]]
            if len(kept) > 1 and between and all(0 < abs(sizes[s] - s) < s / 2 for s in others):
                return between[0], sizes[between[0]]
    return None


def _finding(subject: Subject, name: str, place: Place, seen: Seen, uneven: tuple[int, int] | None) -> Finding:
    if not seen.cut:
        assert uneven is not None
        size, given = uneven
        kept = next(s for s, shapes in seen.shapes.items() if any(s in shape for shape in shapes))
        return Finding(
            f"at {name} = {size} an output dimension has size {given}, while {name} = {kept} stays {kept}",
            "warning",
            evidence_of(subject, {**subject.spec.usual_sizes, name: size}),
        )
    # The size that loses the most shows best what is lost.
    size, lost = max(seen.cut.items(), key=lambda pair: len(pair[1]))
    sizes = {**subject.spec.usual_sizes, name: size}
    operation, location = _where_lost(subject, sizes, place, lost[-1])
    where = (
        f"the last {len(lost)} of {size} positions" if lost[0] == size - len(lost) else f"positions {lost} of {size}"
    )
    shrunk = f"; the output has size {uneven[1]} for {name} = {uneven[0]}" if uneven else ""
    is_usual = operation.endswith(POOLING) or (operation.endswith(CONVOLUTION) and len(lost) == 1)
    evidence = {
        **evidence_of(subject, sizes),
        "positions without influence": lost,
        "sizes with a loss": list(seen.cut),
        "sizes without": seen.whole,
        "lost in": operation or "unknown",
    }
    return Finding(
        f"at {name} = {size}, {where} of {subject.input_names[place.index]} have no influence on any output"
        f"{f' (lost in {operation})' if operation else ''}, while at {name} = {min(seen.whole)} all have{shrunk}",
        "note" if is_usual and not uneven else "warning",
        evidence,
        location,
    )


def _where_lost(subject: Subject, sizes: Mapping[str, int], place: Place, at: int) -> tuple[str, Location | None]:
    """The first operation whose result is the same although what it was given differs."""
    module, inputs = subject.build(), list(subject.draw(sizes))
    other = substituted(inputs[place.index], subject.draw(sizes, seed=1)[place.index], place, (at,))
    changed = [*inputs[: place.index], other, *inputs[place.index + 1 :]]
    one, two = (trace(partial(outputs_of, subject, module, given), keep_values=True) for given in (inputs, changed))
    for before, after in zip(one, two, strict=False):
        fed = any(
            not torch.equal(a, b) for a, b in zip(before.inputs, after.inputs, strict=False) if a.shape == b.shape
        )
        if fed and before.values and all(map(torch.equal, before.values, after.values)):
            return before.name.rpartition(".")[2], before.location
    return "", None


def _refused(subject: Subject, name: str, seen: Seen) -> Iterator[Finding]:
    taken = sorted(seen.shapes)
    within = [size for size in seen.raised if taken and taken[0] < size < taken[-1]]
    if not within:
        return
    error = seen.raised[within[0]]
    if is_own_words(error):
        return
    yield Finding(
        f"it takes {name} = {', '.join(map(str, taken[:4]))}, …, and breaks at sizes between without saying what it "
        f"expects: {name} = {within[0]} raises{complaint(error)}",
        "note",
        {**evidence_of(subject, {**subject.spec.usual_sizes, name: within[0]}), "taken": taken, "raises": within},
        raised_location(error),
    )
