"""Whether two modules that compute the same also start from the same values, in distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.func import functional_call

from verifykit.experiments.behaviour.effects import state_of
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject, named_tensors

# Values of a tensor that its distribution is told from, and modules that are built for them at most.
VALUES, BUILDS = 4000, 160
# How far, in standard errors, two samples must lie apart to come from different distributions: a chance of 1e-8.
APART = 5.7


# How outputs grow with the fan-in under one initialisation, against another that keeps them level.
_LAWS = {
    "sqrt(3·fan_in)": 3.0,
    "sqrt(fan_in)": 1.0,
    "sqrt(6·fan_in)": 6.0,
    "sqrt(2·fan_in)": 2.0,
    "sqrt(fan_in/2)": 0.5,
}


@dataclass(frozen=True)
class Initialisation:
    """How the initial values differ: ``text`` in a phrase, ``evidence`` in numbers."""

    text: str
    evidence: Mapping[str, object]


def difference(facts: Facts, match: Match) -> Initialisation | None:
    """Return how the parameters of freshly built modules differ in distribution from those of freshly built
    candidates, ``None`` where they do not, or there are none.

    Two samples are held apart by their means, standard deviations and kurtoses.
    """
    subject, reference = facts.subject, match.candidate.reference
    names = [name for name, _ in reference.build(torch.float64, subject.device, seed=0).named_parameters()]
    if not names:
        return None
    ours, theirs = _samples(subject, reference, match, names)
    apart = [name for name in names if _differ(ours[name], theirs[name])]
    if not apart:
        return None
    short = match.candidate.name.partition("(")[0].rpartition(".")[2].strip()
    alike: dict[tuple[str, str], list[str]] = {}
    for name in apart:
        alike.setdefault((_distribution(ours[name]), _distribution(theirs[name])), []).append(name)
    told = "; ".join(
        f"{', '.join(group)} {'is' if len(group) == 1 else 'are'} {own} where {short} has {its}"
        for (own, its), group in alike.items()
    )
    scale = _output_scale(facts, match)
    if scale is None:
        return Initialisation(f"its initialisation: {told}", {})
    times, law = scale
    grown = f"about {law} = {times:.3g} times" if law else f"about {times:.3g} times"
    word = "larger" if times > 1 else "as large"
    return Initialisation(
        f"its initialisation: {told}, so that its outputs are {grown} {word}", {"output scale": round(times, 4)}
    )


def _samples(
    subject: Subject, reference: Reference, match: Match, names: list[str]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    ours: dict[str, list[Tensor]] = {name: [] for name in names}
    theirs: dict[str, list[Tensor]] = {name: [] for name in names}
    for seed in range(BUILDS):
        made = match.arrangement.arrange(_fresh(subject, seed))
        other = dict(reference.build(torch.float64, subject.device, seed=seed + 10_007).named_parameters())
        for name in names:
            ours[name].append(made[name].detach().flatten())
            theirs[name].append(other[name].detach().flatten())
        if min(sum(t.numel() for t in values) for values in theirs.values()) >= VALUES:
            break
    return {name: torch.cat(v) for name, v in ours.items()}, {name: torch.cat(v) for name, v in theirs.items()}


def _fresh(subject: Subject, seed: int) -> dict[str, Tensor]:
    module = replace(subject, seed=seed, _shared={}).build()
    return {name: t.detach() for name, t in state_of(module).items()}


def _differ(ours: Tensor, theirs: Tensor) -> bool:
    """Whether two samples come from different distributions: by mean, spread and kurtosis."""
    count = min(ours.numel(), theirs.numel())
    spreads = float(ours.std(correction=0)), float(theirs.std(correction=0))
    if min(spreads) <= 1e-12 * (float(theirs.abs().max()) or 1.0):  # one of them is a constant
        return not torch.allclose(ours.mean(), theirs.mean(), rtol=1e-6, atol=1e-9) or max(spreads) > 1e-9
    if count < 64:
        return False
    mean_error = max(spreads) * math.sqrt(2 / count)
    if abs(float(ours.mean() - theirs.mean())) > APART * mean_error:
        return True
    # The variance of a sample's standard deviation, for tails up to those of a Laplace distribution.
    if abs(math.log(spreads[0] / spreads[1])) > APART * math.sqrt(2.5 / count):
        return True
    # The shape, by the fourth powers of standardised values: 1.8 for a uniform, 3 for a normal distribution.
    fourth = [((sample - sample.mean()) / sample.std(correction=0)).pow(4) for sample in (ours, theirs)]
    error = math.sqrt(sum(float(powers.var()) / powers.numel() for powers in fourth))
    return abs(float(fourth[0].mean() - fourth[1].mean())) > APART * error


def _distribution(values: Tensor) -> str:
    """Name the distribution of a sample: a constant, normal or uniform, else by mean and standard deviation."""
    mean, spread = float(values.mean()), float(values.std(correction=0))
    if spread <= 1e-9 * (abs(mean) or 1.0):
        return f"{mean:.4g}"
    error = spread / math.sqrt(values.numel())
    centre = 0.0 if abs(mean) < 4 * error else mean
    bound = float((values - centre).abs().max())
    # No value of a uniform distribution lies farther than sqrt(3) deviations from its mean.
    if bound < math.sqrt(3) * spread * (1 + 3 / math.sqrt(2 * values.numel())):
        return f"U({centre - bound:.2g}, {centre + bound:.2g})"
    kurtosis = float(((values - mean) / spread).pow(4).mean())
    if abs(kurtosis - 3.0) < max(0.3, 4 * math.sqrt(24 / values.numel())):
        tidy = round(spread, 1) if abs(spread - round(spread, 1)) < 4 * error and spread > 0.05 else spread
        return f"N({centre:.2g}, {tidy:.2g}²)" if tidy != 1.0 else f"N({centre:.2g}, 1)"
    return f"of mean {centre:.2g} and deviation {spread:.2g}"


def _output_scale(facts: Facts, match: Match) -> tuple[float, str | None] | None:
    """How many times larger the outputs of fresh modules are than those of fresh candidates, and the law of that in
    the fan-in of the greatest parameter, where one explains it. ``None`` where they are as large.
    """
    measured = _measured_scale(facts.subject, match)
    if measured is None:
        return None
    times, error = measured
    if abs(times - 1) <= max(4 * error, 0.05):
        return None
    greatest = max(facts.parameters.values(), key=lambda tensor: tensor.numel(), default=None)
    if greatest is None or greatest.ndim < 2:
        return times, None
    own = dict(match.candidate.reference.build(torch.float64, "cpu", seed=0).named_parameters())
    fan_in = math.prod(max(own.values(), key=lambda tensor: tensor.numel()).shape[1:])
    law = next(
        (law for law, factor in _LAWS.items() if abs(times - math.sqrt(factor * fan_in)) <= 3 * error),
        None,
    )
    return times, law


def _measured_scale(subject: Subject, match: Match) -> tuple[float, float] | None:
    """The ratio of the root mean squares of outputs over many fresh modules, and its standard error."""
    reference = match.candidate.reference
    ours, theirs = [], []
    for seed in range(BUILDS):
        state = _fresh(subject, seed)
        inputs = subject.draw(seed=seed)
        fed = [inputs[position] for position in match.order]
        module = reference.build(torch.float64, subject.device, seed=seed + 10_007)
        try:
            with torch.no_grad(), seeded(seed):
                own = _power(functional_call(module, match.arrangement.arrange(state), tuple(fed)))
                other = _power(module(*fed))
        except Exception:  # a size that it does not take
            return None
        ours.append(float(own))
        theirs.append(float(other))
    powers = torch.tensor([ours, theirs], dtype=torch.float64)
    mean = powers.mean(1)
    if not bool((mean > 0).all()) or not bool(mean.isfinite().all()):
        return None
    times = math.sqrt(float(mean[0] / mean[1]))
    relative = powers.std(1) / math.sqrt(powers.shape[1]) / mean
    return times, 0.5 * times * float(relative.norm())


def _power(result: object) -> Tensor:
    return torch.cat([t.flatten() for t in named_tensors(result).values() if t.is_floating_point()]).square().mean()
