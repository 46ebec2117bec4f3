"""How a reference corresponds to a target: which of its parameters, and which of its outputs, are which."""

from collections.abc import Mapping
from itertools import chain, islice

import torch
from torch import Tensor, nn

from verifykit.errors import one_line
from verifykit.identify.agreement.functions import Call, Pair, Refused
from verifykit.identify.agreement.judge import Judge
from verifykit.identify.candidate import Arrangement, Candidate, Match
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.arrangements import arrangements
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.subject import named_tensors

# Ways to carry the parameters over that are tried.
WAYS = 32


class Incomparable(Exception):
    """The two cannot be held against each other at all."""


def matched(facts: Facts, reference: Reference) -> Match:
    """Return how ``reference`` corresponds to the target of ``facts``: the first way to carry its parameters over that
    gives the same values, else the most plausible one.

    Raises:
        Incomparable: the reference does not take the inputs, or its parameters are not those of the target.
    """
    subject = facts.subject
    module = reference.build(torch.float64, subject.device, seed=subject.seed)
    try:
        with torch.no_grad(), seeded(subject.seed):
            places = named_tensors(reference.call(module, [t.clone() for t in facts.inputs]))
    except Exception as error:
        shapes = ", ".join(f"{n}: {tuple(t.shape)}" for n, t in zip(subject.input_names, facts.inputs, strict=True))
        raise Incomparable(f"{reference} rejects the inputs ({shapes}): {one_line(error)}") from error
    found: list[Match] = []
    for arrangement in chain(_by_name(facts, module), islice(arrangements(facts, module), WAYS)):
        # What makes another operation of it is no way to replace it.
        if not arrangement.deviations:
            match = _match(facts, reference, arrangement, places)
            if _agrees(facts, match):
                return match
            found.append(match)
    if not found:
        raise Incomparable(_unmatched(facts, module, reference))
    return found[0]


def _by_name(facts: Facts, module: nn.Module) -> list[Arrangement]:
    """Its state as it is, where names and shapes are the same."""
    theirs = {name: tuple(t.shape) for name, t in [*module.named_parameters(), *module.named_buffers()]}
    if theirs != {name: tuple(t.shape) for name, t in facts.state.items()}:
        return []
    return [Arrangement(dict)]


def _match(facts: Facts, reference: Reference, arrangement: Arrangement, places: Mapping[str, Tensor]) -> Match:
    name = str(reference).removesuffix("()")
    both = dict.fromkeys([*facts.outputs, *places])
    outputs = {place: place for place in both}
    if len(facts.outputs) == len(places) == 1:
        outputs = dict(zip(facts.outputs, places, strict=True))
    order = tuple(range(len(facts.inputs)))
    return Match(Candidate(name, reference, name), arrangement, order, outputs)


def _agrees(facts: Facts, match: Match) -> bool:
    pair, call = Pair(facts, match, torch.float64, ()), Call(order=0)
    try:
        own, other = (
            observe(facts.state, facts.inputs, call) for observe in (pair.observe_target, pair.observe_candidate)
        )
    except Refused:
        return False
    judge = Judge(torch.float32)  # a first look: what is off in double precision is found later
    return not judge.gaps(own, other, lambda: None, lambda: None)


def _unmatched(facts: Facts, module: nn.Module, reference: Reference) -> str:
    ours = {name: tuple(t.shape) for name, t in facts.parameters.items()}
    theirs = {name: tuple(t.shape) for name, t in module.named_parameters()}
    loose = [f"{name} {shape}" for name, shape in ours.items() if theirs.get(name) != shape]
    loose += [f"the reference's {name} {shape}" for name, shape in theirs.items() if ours.get(name) != shape]
    return f"parameters cannot be carried over to {reference}: no counterpart found for {', '.join(loose) or 'buffers'}"
