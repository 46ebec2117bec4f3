"""train-eval: training and eval mode differ by declared randomness and running statistics alone."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.behaviour.modes import NORMS, idle_dropout, parts_left_in_training
from verifykit.experiments.behaviour.noise import Average, Unresolved, on_average, without_torch_dropout
from verifykit.experiments.behaviour.state import line_of_change, same
from verifykit.experiments.behaviour.statistics import MANY, Statistic, judged, moved_statistics, settle
from verifykit.experiments.observation import batch_of, outputs_of, plain_outputs
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_at
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import trace

DRAWS, FEWEST = 64, 8
# What all draws together may take.
SECONDS = 0.5
# Unbiased against biased variances differ by 1 in 64 at this batch, and the smallest dropout in use by 1 in 10.
BATCH = 64
ELEMENTS = 40_000
CLOSE = 0.05
# A dropout of 0.03 that lacks its rescaling moves the mean by this much of what one draw moves it.
BIAS = 0.15
# Two ways to compute one thing in double precision differ by less.
EXACT = 1e-9


@check("train-eval", family="behaviour", requires=("determinism", "purity"))
def train_eval(subject: Subject) -> Iterator[Finding | Verified]:
    """Training and eval mode differ by randomness with the right mean, and by running statistics, alone.

    What:
        Sees that eval mode reaches every part. Replaces each random draw of the training mode by its mean and compares
        the output with eval's. Where training moves statistics, holds the rate at which one batch moves them against
        the declared momentum, and compares eval with training once they have converged to that batch.

    Why it matters:
        A dropout without its rescaling feeds later layers other magnitudes in production than in training; a swapped
        momentum keeps the statistics of the last batch alone.

    Wrong:
        def forward(self, x):
            if self.training:
                x = x * (torch.rand_like(x) > self.p)
            return x

    Right:
        def forward(self, x):
            if self.training:
                x = x * (torch.rand_like(x) > self.p) / (1 - self.p)
            return x

    When to ignore:
        When training computes another thing on purpose, such as logits where eval gives probabilities.
    """
    if not plain_outputs(subject):
        raise Skip("the module returns no tensor")
    stuck = next(parts_left_in_training(subject), None)
    if stuck is not None:
        yield stuck
        return
    yield from idle_dropout(subject)
    fixed = [outputs_of(subject, subject.build(), subject.draw(), seed=seed) for seed in (0, 1)]
    if any(name not in fixed[1] or not same(value, fixed[1][name]) for name, value in fixed[0].items()):
        raise Skip("its output in eval mode is random itself")
    inputs = subject.draw(_sizes(subject))
    started = time.process_time()
    try:
        _call(subject, subject.build(training=True), inputs, 0)
    except Exception as error:
        raise Inconclusive(f"in training mode it raises{raised_at(error)}: {one_line(error)}") from None
    draws = min(DRAWS, max(FEWEST, int(SECONDS / (time.process_time() - started))))
    try:
        statistics = moved_statistics(subject, inputs)
        found = list(_statistics(subject, inputs, statistics) if statistics else _means(subject, inputs, draws))
    except Unresolved as reason:
        raise Inconclusive(f"the mean of its training output is not known: {reason}") from None
    yield from found
    what = f"{len(statistics)} running statistics" if statistics else "mean of the training output against eval"
    yield Verified(what, draws, None, f"{CLOSE:.0%}")


def _sizes(subject: Subject) -> dict[str, int]:
    """A batch large enough for the statistics of one to mean something, where the module takes it."""
    batch = batch_of(subject)
    usual = subject.spec.usual_sizes
    if batch is None or batch.symbol not in usual:
        return dict(usual)
    elements = sum(t.numel() for t in subject.draw()) // usual[batch.symbol]
    sizes = {**usual, batch.symbol: max(usual[batch.symbol], min(BATCH, ELEMENTS // max(1, elements)))}
    try:
        started = time.process_time()
        outputs_of(subject, subject.build(), subject.draw(sizes))
        return sizes if time.process_time() - started < SECONDS / FEWEST else dict(usual)
    except Exception:  # not a size for this module
        return dict(usual)


def _call(subject: Subject, module: nn.Module, inputs: Sequence[Tensor], seed: int) -> dict[str, Tensor]:
    with torch.no_grad(), seeded(seed):
        return {
            n: t.detach().clone() for n, t in named_tensors(subject.call(module, [t.clone() for t in inputs])).items()
        }


def _means(subject: Subject, inputs: Sequence[Tensor], draws: int) -> Iterator[Finding]:
    trained = without_torch_dropout(subject.build(training=True))
    data = [*inputs, *trained.parameters(), *trained.buffers()]
    average = on_average(partial(_call, subject, trained, inputs), data, draws)
    expected = _call(subject, _in_eval(trained), inputs, 0)
    for name, want in expected.items():
        have = average.outputs.get(name)
        if have is None or have.shape != want.shape or not (want.is_floating_point() or want.is_complex()):
            continue
        gap = _apart(have, want)
        if average.meetings:
            finding = next(_biased(name, average, want, gap), None)
            if finding is not None:
                yield finding
                return
        elif gap > EXACT:
            yield Finding(
                f"{name} differs between training and eval mode by {gap:.2g} of its size, by neither randomness nor "
                "running statistics",
                "warning",
                {"output": name, "relative difference": gap},
                _where_modes_part(subject),
            )
            return


def _biased(name: str, average: Average, want: Tensor, gap: float) -> Iterator[Finding]:
    have = average.outputs[name]
    chance = _apart(average.halves[0][name], average.halves[1][name]) / 2
    spread = _apart(average.drawn[name], have)
    if gap <= max(6 * chance, BIAS * spread):
        return
    ratio = float((have * want.conj()).real.sum() / want.abs().square().sum())
    yield Finding(
        f"where its random draws have their means, {name} in training mode is not eval's: it differs by {gap:.0%} of "
        f"its size (a factor of about {ratio:.2f}), so what is drawn changes the mean",
        "warning",
        {
            "output": name,
            "factor": ratio,
            "mean of the draws": [round(float(meeting.mean().mean()), 4) for meeting in average.meetings][:4],
            "relative difference": gap,
            "of which chance": chance,
            "spread of one draw": spread,
        },
        average.meetings[0].location,
    )


def _in_eval(trained: nn.Module) -> nn.Module:
    """Switch to eval mode, with the state it has, all but torch's own norms: their two modes belong together."""
    modes = {part: part.training for part in trained.modules() if isinstance(part, NORMS)}
    trained.eval()
    for part, mode in modes.items():
        part.train(mode)
    return trained


def _apart(one: Tensor, other: Tensor) -> float:
    finite = one.isfinite() & other.isfinite()
    size = float(torch.linalg.vector_norm(other[finite]))
    gap = float(torch.linalg.vector_norm((one - other)[finite]))
    return gap / size if size else (1.0 if gap else 0.0)


def _where_modes_part(subject: Subject) -> Location | None:
    inputs = subject.draw()
    modules = [without_torch_dropout(subject.build(training=training)) for training in (False, True)]
    first, second = (trace(partial(outputs_of, subject, module, inputs), keep_values=True) for module in modules)
    for one, other in zip(first, second, strict=False):
        if one.name != other.name or one.location != other.location:
            return other.location
        if any(not same(a, b) for a, b in zip(one.values, other.values, strict=False)):
            return one.location
    return None


def _statistics(subject: Subject, inputs: Sequence[Tensor], statistics: list[Statistic]) -> Iterator[Finding]:
    for statistic in statistics:
        told = judged(statistic)
        if told is not None:
            severity, message, evidence = told
            yield Finding(message, severity, evidence, _line_of(subject, inputs, statistic.name))
            return
    state = settle(subject, inputs, statistics)
    trained = without_torch_dropout(subject.build(training=True))
    results = []
    for seed, training in ((0, True), (1, True), (0, False)):
        trained.load_state_dict(state, strict=False)
        results.append(_call(subject, trained if training else _in_eval(trained), inputs, seed))
    wanted, again, evaluated = results
    for name, want in wanted.items():
        have = evaluated.get(name)
        if have is None or have.shape != want.shape or not want.is_floating_point():
            continue
        if _apart(again[name], want) > CLOSE:
            raise Unresolved("it has both random draws and running statistics")
        gap = _apart(have, want)
        if gap > CLOSE:
            grows = [s for s in statistics if s.grows]
            if not grows and not all(s.converges for s in statistics):
                raise Inconclusive(f"{', '.join(s.name for s in statistics)} did not settle within {MANY} calls")
            names = ", ".join(s.name for s in (grows or statistics)[:3])
            cause = (
                f"{names} grows by the same amount with each call and never settles"
                if grows
                else f"{names} converges to something else than what training normalises with"
            )
            yield Finding(
                f"after many training calls on one batch, eval differs from training on it by {gap:.0%}: {cause}",
                "warning",
                {"output": name, "relative difference": gap, "statistics": [s.name for s in statistics]},
                _line_of(subject, inputs, (grows or statistics)[0].name),
            )
            return


def _line_of(subject: Subject, inputs: Sequence[Tensor], name: str) -> Location | None:
    module = subject.build(training=True)

    def probe() -> Any:
        return dict(module.named_buffers())[name].detach().clone()

    return line_of_change(partial(outputs_of, subject, module, inputs), probe)
