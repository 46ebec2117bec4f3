"""What a target is seen to give, for candidates to be held against: as many calls as tell it from others."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from verifykit.experiments.behaviour.effects import state_of
from verifykit.experiments.observation import outputs_of
from verifykit.identify.facts import Facts
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors

# Values that a constant factor and an offset are told from, and calls that may be made for them.
ENOUGH, CALLS = 8, 8

Values = dict[str, Tensor]


@dataclass(frozen=True)
class Sight:
    """One call of the target: its inputs and outputs, in eval or training mode; ``after`` is its state after a call
    that changed running statistics.
    """

    inputs: tuple[Tensor, ...]
    outputs: Values
    training: bool = False
    after: Mapping[str, Tensor] = field(default_factory=dict)


def sights_of(facts: Facts) -> Iterator[Sight]:
    """Yield as many calls as a factor is told from, and one in training mode where that repeats."""
    yield Sight(facts.inputs, facts.outputs)
    seen = sum(value.numel() for value in facts.outputs.values())
    for seed in range(1, CALLS):
        if seen >= ENOUGH:
            break
        inputs = facts.subject.draw(seed=seed)
        outputs = outputs_of(facts.subject, facts.module, inputs)
        yield Sight(inputs, outputs)
        seen += sum(value.numel() for value in outputs.values())
    trained = None if facts.random else _trained(facts)
    if trained is not None and trained.outputs.keys() == facts.outputs.keys():
        yield trained


def _trained(facts: Facts) -> Sight | None:
    module = copy.deepcopy(facts.module).train()
    try:
        with torch.no_grad(), seeded(0):
            outputs = named_tensors(facts.subject.call(module, [tensor.clone() for tensor in facts.inputs]))
    except Exception:  # it takes other inputs in training mode
        return None
    return Sight(facts.inputs, outputs, True, state_of(module) if facts.running else {})
