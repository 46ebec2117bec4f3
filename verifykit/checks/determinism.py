"""determinism: the same inputs give the same outputs in eval mode."""

import re
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from verifykit.checks.registry import Skip, check
from verifykit.comparison import unravelled
from verifykit.experiments.behaviour.state import same
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

REPEATS = 4
_SAMPLING = re.compile(r"rand|normal|uniform|bernoulli|multinomial|poisson|exponential|gumbel|r?sample|standard_")


@check("determinism", family="behaviour")
def determinism(subject: Subject) -> Iterator[Finding | Verified]:
    """In eval mode, the same inputs give the same outputs, bit for bit.

    What:
        Calls one module several times in eval mode on copies of the same inputs, under different global seeds. When
        outputs differ, the two calls are followed operation by operation to the first that differs.

    Why it matters:
        A prediction that changes from call to call cannot be tested, cached or compared, and usually means that
        dropout or noise stays active, or that state leaks from one call to the next.

    Wrong:
        def forward(self, x):
            return F.dropout(x, 0.5)  # active in eval too

    Right:
        def forward(self, x):
            return F.dropout(x, 0.5, training=self.training)

    When to ignore:
        When sampling is the purpose: Monte Carlo dropout, a stochastic layer, a generative model.
    """
    module, inputs = subject.build(), subject.draw()
    first = outputs_of(subject, module, inputs, seed=0)
    if not first:
        raise Skip("the module returns no tensor")
    for repeat in range(1, REPEATS):
        again = outputs_of(subject, module, inputs, seed=repeat)
        for name, before in first.items():
            after = again.get(name)
            if after is None or after.shape != before.shape:
                yield Finding(f"{name} has another shape, or is missing, in call {repeat + 1} on the same inputs")
                return
            if not same(before, after):
                yield _finding(subject, name, before, after)
                return
    elements = sum(t.numel() for t in first.values())
    yield Verified(f"{elements} output elements, bit for bit, under {REPEATS} seeds", REPEATS)


def _finding(subject: Subject, name: str, before: Tensor, after: Tensor) -> Finding:
    differs = before != after
    gap = torch.where(differs, (before - after).abs() if before.dtype != torch.bool else differs, 0)
    worst = int(gap.nan_to_num().abs().argmax())
    index = list(unravelled(worst, before.shape))
    by_seed = _repeats_under_one_seed(subject)
    cause = (
        "it draws from the global random generator in eval mode"
        if by_seed
        else "it differs under one random seed too, so state is kept between calls or an operation is not deterministic"
    )
    evidence = {
        "output": name,
        "element": index,
        "first call": before.flatten()[worst].item(),
        "later call": after.flatten()[worst].item(),
        "elements that differ": f"{int(differs.sum())} of {differs.numel()}",
    }
    step = _first_difference(subject, same_seed=not by_seed)
    message = f"two calls on the same inputs in eval mode differ in {name} at {index}: {cause}"
    # Dropout that stays active is a mistake; a forward that samples in so many words may be meant to.
    sampled = by_seed and step is not None and _SAMPLING.match(step.name.rpartition(".")[2])
    return Finding(message, "warning" if sampled else None, evidence, step.location if step is not None else None)


def _repeats_under_one_seed(subject: Subject) -> bool:
    module, inputs = subject.build(), subject.draw()
    runs = [outputs_of(subject, module, inputs, seed=0) for _ in range(2)]
    return all(same(runs[0][name], runs[1][name]) for name in runs[0])


def _first_difference(subject: Subject, *, same_seed: bool) -> Step | None:
    module, inputs = subject.build(), subject.draw()
    seeds = (0, 0) if same_seed else (0, 1)
    first, second = (trace(partial(outputs_of, subject, module, inputs, seed=seed), keep_values=True) for seed in seeds)
    for one, other in zip(first, second, strict=False):
        if one.name != other.name:
            return other
        for before, after in zip(one.values, other.values, strict=False):
            if before.shape != after.shape or not same(before, after):
                return one
    return None
