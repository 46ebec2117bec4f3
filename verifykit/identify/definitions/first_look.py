"""Whether a candidate gives what was seen at one point: cheap, so that few candidates are looked at thoroughly."""

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.identify.candidate import Arrangement, Candidate
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.arrangements import arrangements
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors

# Ways to arrange the state of one candidate that are looked at; of one that deviates, fewer.
ARRANGEMENTS, FEW = 24, 4
# What differs by less is looked at no further.
SAME = 1e-9

Values = Mapping[str, Tensor]


@dataclass(frozen=True)
class Look:
    """A candidate with what makes it comparable: ``call`` takes the target's state, its inputs and whether it is in
    training mode, and returns the outputs. ``residual`` is the greatest difference that was seen, relative to the
    greatest value.
    """

    candidate: Candidate
    call: Callable[[Values, Sequence[Tensor], bool], dict[str, Tensor]]
    residual: float
    module: nn.Module | None
    arrangement: Arrangement | None


class Looker:
    """Looks at candidates for ``facts`` where its ``inputs`` gave ``outputs``."""

    def __init__(self, facts: Facts, inputs: Sequence[Tensor], outputs: Values) -> None:
        self.facts, self.inputs, self.outputs = facts, inputs, outputs
        self._trained: dict[str, Tensor] | None = None
        self._arranged: dict[tuple[tuple[str, tuple[int, ...]], ...], list[Arrangement]] = {}

    def look(self, candidate: Candidate, *, exchange: bool = True) -> Look | None:
        """Return how near ``candidate`` comes in its best order of inputs and arrangement of state, ``None`` where it
        cannot be called so, or returns other shapes.
        """
        best: Look | None = None
        for order in self._orders(exchange):
            for call, module, arrangement in self._calls(candidate, order):
                try:
                    found = call(self.facts.state, self.inputs, False)
                except Exception:  # inputs that it does not take
                    break
                residual = difference(self.outputs, found)
                if residual is not None and residual <= SAME and self.facts.running:
                    residual = max(residual, self._in_training(Look(candidate, call, residual, module, arrangement)))
                if residual is not None and (best is None or residual < best.residual):
                    best = Look(candidate, call, residual, module, arrangement)
                if residual is None or residual <= SAME:
                    break
        return best

    def _in_training(self, look: Look) -> float:
        """How far the outputs in training mode and the running statistics after it are apart, where it has any."""
        if self._trained is None:
            try:
                with torch.no_grad():
                    self._trained = self.facts.evaluate(self.facts.state, self.inputs, training=True)
            except Exception:  # it takes other inputs in training mode
                return 0.0
        try:
            apart = difference(self._trained, look.call(self.facts.state, self.inputs, True))
        except Exception:
            return 0.0
        return 1.0 if apart is None else max(apart, 0.0 if kept(self.facts, look) else 1.0)

    def _orders(self, exchange: bool) -> Iterator[tuple[int, ...]]:
        count = len(self.inputs)
        yield tuple(range(count))
        if exchange and count == 2:
            yield from islice(permutations(range(count)), 1, None)

    def _calls(
        self, candidate: Candidate, order: tuple[int, ...]
    ) -> Iterator[tuple[Callable[..., dict[str, Tensor]], nn.Module | None, Arrangement | None]]:
        reference = candidate.reference
        if reference.target.kind == "function":
            yield lambda state, inputs, training: _of_function(candidate, [inputs[i] for i in order]), None, None
            return
        try:
            module = reference.build(torch.float64, self.facts.subject.device, seed=self.facts.subject.seed)
        except Exception:  # arguments that it does not take
            return
        for arrangement in self._arrangements(module)[: FEW if candidate.deviations else ARRANGEMENTS]:

            def call(
                state: Values, inputs: Sequence[Tensor], training: bool, arrangement: Arrangement = arrangement
            ) -> dict[str, Tensor]:
                held = {name: tensor.clone() for name, tensor in arrangement.arrange(state).items()}
                module.train(training)
                with torch.no_grad(), seeded(0):
                    return named_tensors(functional_call(module, held, tuple(inputs[i].clone() for i in order)))

            yield call, module, arrangement

    def _arrangements(self, module: nn.Module) -> list[Arrangement]:
        """Those of a module whose state has these names and shapes: variants of one operation share them."""
        key = tuple((name, tuple(tensor.shape)) for name, tensor in module.state_dict().items())
        if key not in self._arranged:
            self._arranged[key] = list(islice(arrangements(self.facts, module), ARRANGEMENTS))
        return self._arranged[key]


def kept(facts: Facts, look: Look) -> bool:
    """Whether a step in training mode leaves the same running statistics in both."""
    if not facts.running or look.module is None or look.arrangement is None:
        return True
    ours, theirs = copy.deepcopy(facts.module).train(), copy.deepcopy(look.module).train()
    theirs.load_state_dict({**theirs.state_dict(), **look.arrangement.arrange(facts.state)})
    with torch.no_grad():
        facts.subject.call(ours, facts.inputs)
        theirs(*facts.inputs)
    wanted = look.arrangement.arrange({**dict(ours.named_parameters()), **dict(ours.named_buffers())})
    held = dict(theirs.named_buffers())
    pairs = [(value, held[name]) for name, value in wanted.items() if name in held and value.is_floating_point()]
    return all(torch.allclose(one, other, rtol=1e-9, atol=1e-12) for one, other in pairs)


def difference(ours: Values, theirs: Values) -> float | None:
    """Return the greatest difference between outputs and those of the other that are nearest to them, relative to the
    greatest value; infinite where one alone is finite, ``None`` where one has no counterpart of its shape.
    """
    worst = 0.0
    for value in ours.values():
        alike = [_apart(value, other) for other in theirs.values() if other.shape == value.shape]
        if not alike:
            return None
        worst = max(worst, min(alike))
    return worst


def _apart(one: Tensor, other: Tensor) -> float:
    if one.numel() == 0 or torch.equal(one, other):
        return 0.0
    gap = float((one - other).abs().max())
    return gap / (float(other.abs().max()) or 1.0) if math.isfinite(gap) else math.inf


def _of_function(candidate: Candidate, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    with torch.no_grad():
        found = candidate.reference.target.obj(*inputs, **candidate.reference.init)
    return {"output": found} if isinstance(found, Tensor) else named_tensors(found)
