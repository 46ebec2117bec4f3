"""loss-ignore: what is masked, ignored or weighted with zero has no influence, and weights do what they say."""

import re
from collections.abc import Iterator
from itertools import chain

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.losses.exclusion import Exclusion, exclusions
from verifykit.experiments.losses.probe import NO_LOSS, agreement
from verifykit.experiments.losses.weighting import judge_weights
from verifykit.experiments.observation import loss_of
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.subject import Subject

# Names that say which way round a mask is.
DROPS = r".*(pad|ignore|invalid|exclude|drop).*"
KEEPS = r".*(valid|keep|include).*"


@check("loss-ignore", family="losses", requires=("determinism",))
def loss_ignore(subject: Subject) -> Iterator[Finding | Verified]:
    """What is masked, ignored or weighted with zero has no influence on a loss; weights act where they should.

    What:
        Marks samples and elements with the mask or the ignore_index that the loss takes, or gives them a weight of
        zero, and changes prediction and target there: neither the loss nor the gradient elsewhere may change. A mean
        must be that of the samples that are left. Class weights of one must change nothing, the weight of a class
        acts on samples of that class, pos_weight on positive ones.

    Why it matters:
        Padding that leaks into a loss trains the model on padding; a mean over all positions shrinks the loss of
        short sequences. Neither shows, as the loss still falls.

    Wrong:
        def forward(self, prediction, target, mask):
            return ((prediction * mask - target) ** 2).mean()  # masked targets still count

    Right:
        def forward(self, prediction, target, mask):
            return (((prediction - target) ** 2) * mask).sum() / mask.sum().clamp(min=1)

    When to ignore:
        When the mean is meant over all positions, so that the weight of a sample does not depend on the others.
    """
    loss = loss_of(subject)
    if loss is None:
        raise Skip(NO_LOSS)
    ways, weighted = list(exclusions(subject, loss)), list(judge_weights(subject, loss))
    if not ways and not weighted:
        raise Skip("it takes no mask, ignore_index or weights whose meaning is known by their names and shapes")
    undecided = []
    for name in dict.fromkeys(way.argument for way in ways):
        try:
            yield from _judge([way for way in ways if way.argument == name])
        except Inconclusive as reason:
            undecided.append(str(reason))
    yield from weighted
    if undecided:
        raise Inconclusive("; ".join(undecided))


def _judge(ways: list[Exclusion]) -> Iterator[Finding | Verified]:
    """One finding at most for an argument. Where it is a mask that may be either way round, one way must work."""
    leaks = [(way, way.influence()) for way in ways]
    if not ways[0].either:
        for _, found in leaks:
            if found is not None:
                yield found
                return
        said = set[str]()
        for item in chain.from_iterable(map(_mean, ways)):
            kind = "" if isinstance(item, Verified) else str(item.severity)
            if kind not in said:
                yield item
            if kind:  # the other value of the argument would say it again
                said.add(kind)
        return
    working = [way for way, found in leaks if found is None]
    if not working:
        found = leaks[0][1]
        assert found is not None
        yield found
        return
    way = working[0]
    name = way.argument
    claimed = DROPS if way.keeps else KEEPS
    if len(working) == 1 and re.fullmatch(claimed, name, re.IGNORECASE):
        kept = "True" if way.keeps else "False"
        yield Finding(
            f"{name} is the wrong way round for its name: what counts in the loss is where it is {kept}",
            "warning",
            {"argument": name, "counts where it is": kept},
        )
        return
    yield from _mean(way)


def _mean(way: Exclusion) -> Iterator[Finding | Verified]:
    pair = way.with_and_without()
    if pair is not None:
        ignored, left_out, values = pair
        worst = agreement(way.probe, values, ignored, left_out)
        if worst is not None and worst.excess > 1:
            yield _diluted(way, float(ignored), float(left_out), worst.tolerance)
            return
    yield Verified(f"no influence of what {way.words}", 2)
    alone = way.everything()
    if alone is not None and not bool(torch.isfinite(alone).all()):
        value = float(alone.sum())
        message = f"where everything is {way.participle}, the loss is {value}: guard the division if that can occur"
        yield Finding(message, "note", {"loss": value})


def _diluted(way: Exclusion, ignored: float, left_out: float, tolerance: float) -> Finding:
    ratio = ignored / left_out if left_out else float("nan")
    divided = ", as the mean is over all of them" if abs(ratio - way.share) < 1e-6 else ""
    severity: Severity = "warning"
    evidence = {
        f"loss with samples {way.participle}": ignored,
        "loss without them": left_out,
        "ratio": ratio,
        "share that counts": way.share,
        "tolerance": tolerance,
    }
    return Finding(
        f"samples that are {way.participle} ({way.words}) still change the loss: {ignored:.6g} with them, "
        f"{left_out:.6g} without{divided}",
        severity,
        evidence,
    )
