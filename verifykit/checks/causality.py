"""causality: what says that it is causal sees nothing of the future."""

from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.influence import HUGE, Change, says_nothing, where_they_part
from verifykit.experiments.samples.doubts import as_batched
from verifykit.experiments.sequences import Claim, Sight, causal_claim, leaking_gradient, time_axes
from verifykit.results import Finding, Location, Verified
from verifykit.spec.subject import Subject

# Draws of other values after which an output that has not changed is taken not to depend on them.
SEEDS = (1, 2, 3)


@check("causality", family="behaviour", requires=("determinism",))
def causality(subject: Subject) -> Iterator[Finding | Verified]:
    """What claims to be causal does not let an output depend on inputs that come later.

    What:
        Applies to modules that claim it: by a `causal` or `is_causal` argument that is true, by their name, or by the
        first line of their docstring. Replaces the inputs after each time and compares the outputs up to it, then
        asks whether the output sends gradients to later inputs. Also notes outputs that see no present, or no past.

    Why it matters:
        A language or forecasting model that sees the future has an excellent loss in training and is useless when it
        generates. The usual causes are a mask off by one, transposed or never applied, padding on both sides of a
        convolution, and normalisation over time.

    Wrong:
        def forward(self, x):
            return self.conv(F.pad(x, (1, 1)))

    Right:
        def forward(self, x):
            return self.conv(F.pad(x, (2, 0)))

    When to ignore:
        When the claim is meant in another sense, or a bounded look-ahead is allowed on purpose.
    """
    claim = causal_claim(subject)
    if claim is None:
        raise Skip("nothing says that it is causal: no argument, no attribute, not its name or docstring")
    subject = as_batched(subject)
    axes = time_axes(subject)
    if not axes:
        raise Skip(f"it is causal by {claim.said_by}, but inputs and outputs share no dimension that could be time")
    sights = [sight for axis in axes if (sight := Sight(subject, axis, claim.extra)).length > 2]
    if not sights:
        raise Inconclusive("the sequence is too short to tell past from future")
    if says_nothing(sights[0].before):
        raise Inconclusive("no element of its outputs is a finite number")
    try:
        leaks = [_leak(sight) for sight in sights]
    except Exception as error:
        raise Inconclusive(f"it refuses other inputs of the same kind: {one_line(error)}") from error
    causal = [sight for sight, leak in zip(sights, leaks, strict=True) if leak is None]
    if not causal:
        time, change = leaks[0] or (0, None)
        assert change is not None
        yield _finding(claim, sights[0], time, change)
        return
    sight = causal[0]
    strayed = leaking_gradient(sight)
    if strayed is not None:
        output, time, later = strayed
        yield Finding(
            f"the backward of {output} at time {time} sends a gradient to the inputs at time {later}, which come later",
            evidence={"output": output, "time": time, "later time": later, "claimed by": claim.said_by},
        )
        return
    what = f"no output depends on later inputs along {sight.time.label} (claimed by {claim.said_by})"
    yield Verified(what, sight.length)
    yield from _blind(sight)
    yield from _only_when_huge(sight)


def _leak(sight: Sight) -> tuple[int, Change] | None:
    """The first time whose output changes with what comes after it."""
    for time in range(sight.length - 1):
        change = sight.from_after(time)
        if change is not None:
            return time, change
    return None


def _finding(claim: Claim, sight: Sight, time: int, change: Change) -> Finding:
    times = torch.arange(sight.length)
    reach = max((t for t in range(sight.length) if sight.change(times == t, times == time)), default=time)
    middle = sight.length // 2
    sees_past = sight.change(times < middle, times == middle) is not None
    ahead = reach - time
    kind = (
        "and nothing of the past: the direction is reversed"
        if not sees_past
        else f"{ahead} {'step' if ahead == 1 else 'steps'} ahead"
        if 0 < ahead < sight.length - 1 - time
        else "up to the end of the sequence"
    )
    evidence = {"time": time, "last input that it sees": reach, "claimed by": claim.said_by, **change.evidence}
    return Finding(
        f"{change.output} at time {time} changes by {change.difference.error:.2g} when only later inputs do: along "
        f"{sight.time.label} it sees the future, {kind}",
        "error" if sight.time.symbols else "warning",  # where all sizes are fixed, which of them is time is a guess
        evidence=evidence,
        location=_where(sight, time),
    )


def _where(sight: Sight, time: int) -> Location | None:
    """The first operation that carries a change after ``time`` to values at or before it."""

    def agrees(before: Tensor, after: Tensor) -> bool:
        axes = [a for a, size in enumerate(before.shape) if size == sight.length]
        if not axes:
            return True
        differs = ~torch.isclose(before, after, rtol=1e-9, atol=0, equal_nan=True)
        return any(not bool(differs.narrow(a, 0, time + 1).any()) for a in axes)

    later = sight.moved(torch.arange(sight.length) > time)
    return where_they_part(sight.subject, sight.inputs, later, agrees, sight.calls.extra)


def _blind(sight: Sight) -> Iterator[Finding]:
    """What sees no past at all is pointwise; what sees no present predicts, which may be meant."""
    if not any(t.is_floating_point() or t.is_complex() for t in sight.before.values()):
        return  # whole numbers and truth values may stay as they are
    times = torch.arange(sight.length)
    last = sight.length - 1
    past, present = (
        any(sight.change(where, times == last, seed=seed) is not None for seed in SEEDS)
        for where in (times < last, times == last)
    )
    if not past and not present:
        yield Finding(f"at its last time the output depends on no input along {sight.time.label}", "warning")
    elif not past:
        yield Finding(
            f"the output at the last of {sight.length} times depends on the input at that time only: no past is seen",
            "warning",
        )
    elif not present:
        yield Finding("no output depends on the input at its own time: it sees the past only", "note")


def _only_when_huge(sight: Sight) -> Iterator[Finding]:
    for time in (0, sight.length // 2):
        try:
            change = sight.from_after(time, HUGE)
        except Exception:  # such values it refuses
            return
        if change is not None:
            message = f"{change.output} at time {time} changes when later inputs are a million times as large"
            yield Finding(f"{message}: what hides the future is finite", "note", change.evidence)
            return
