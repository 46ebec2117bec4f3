"""Arrangements that are found by fitting: of a candidate whose outputs are affine in its parameters."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from verifykit.identify.candidate import Arrangement
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.explaining import Explanation, confined, explain, notes_of
from verifykit.identify.mapping.slots import is_spare, turns_convolution
from verifykit.identify.mapping.sources import Source, sources
from verifykit.identify.mapping.structural import running
from verifykit.spec.subject import named_tensors

# Unknowns that are solved for, equations for each; draws of the inputs, or the size of a single one.
_UNKNOWNS, _EQUATIONS, _DRAWS, _SIZE = 600, 2, 48, 256
# States of the target at which the parameters are solved for: an explanation has to hold at all of them.
_STATES = 4
# What a fit may leave of the outputs, relative to them; and what an explanation may.
_FITTED, _EXPLAINED = 1e-8, 1e-9

State = Mapping[str, Tensor]


def fitted(facts: Facts, module: nn.Module) -> Iterator[Arrangement]:
    """Yield the arrangement under which ``module`` gives the target's outputs, where its parameters enter linearly and
    what they have to be is explained by the target's own. What it cannot explain is none.
    """
    available = sources(facts)[0]
    unknowns = sum(parameter.numel() for parameter in module.parameters())
    real = all(parameter.dtype == torch.float64 for parameter in module.parameters())
    if (
        not 0 < unknowns <= _UNKNOWNS
        or not real
        or turns_convolution(module)
        or not any(source.needed for source in available)
    ):
        return
    rest = running(facts, module)
    if rest is None:
        return
    try:
        system = _System.of(facts, module, rest.arrange(facts.state))
        explained = _explained(facts, system, available) if system is not None else None
    except Exception:  # inputs that it does not take, or a state that either refuses
        return
    if system is None or explained is None:
        return

    def arrange(state: State) -> dict[str, Tensor]:
        return {**rest.arrange(state), **{name: explanation.of(state) for name, explanation in explained.items()}}

    if system.holds(facts, arrange(other := drawn(facts, _STATES + 1)), other):
        bound = {name: explanation for name, explanation in explained.items() if confined(explanation, other)}
        free = {name: explanation for name, explanation in explained.items() if name not in bound}
        narrower = tuple(f"{text}, so that not every {text.partition(' ')[0]} can be had" for text in notes_of(bound))
        yield Arrangement(arrange, (*rest.notes, *notes_of(free)), (*rest.deviations, *narrower))


def drawn(facts: Facts, seed: int) -> dict[str, Tensor]:
    """Return the target's state, its parameters moved for each ``seed`` but 0: by a share of each element's own size
    and, where not all are positive, of the tensor's.
    """
    generator = torch.Generator().manual_seed(seed)
    state = dict(facts.state)
    for name, tensor in facts.parameters.items():
        if tensor.is_floating_point() and seed:
            noise, other = torch.randn((2, *tensor.shape), generator=generator, dtype=torch.float64).to(tensor)
            shift = 0.0 if bool((tensor > 0).all()) else 0.1 * tensor.abs().mean()
            state[name] = tensor * (1 + 0.3 * torch.tanh(noise)) + shift * other
    return state


@dataclass(frozen=True)
class _System:
    """A candidate as an affine map of its parameters at several draws of the inputs: ``matrix @ parameters + base``."""

    module: nn.Module
    rest: dict[str, Tensor]
    shapes: dict[str, torch.Size]
    draws: list[tuple[Tensor, ...]]
    matrix: Tensor
    base: Tensor
    rows: Tensor

    @classmethod
    def of(cls, facts: Facts, module: nn.Module, rest: dict[str, Tensor]) -> "_System | None":
        """The system, ``None`` where there are not as many outputs, or where they are not affine in the parameters."""
        shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
        unknowns = sum(shape.numel() for shape in shapes.values())
        one = _evaluate(module, rest, _split(torch.zeros(unknowns, dtype=torch.float64), shapes), facts.inputs)
        if one is None or one.shape != _joined(facts.outputs).shape or not one.is_floating_point() or one.numel() == 0:
            return None
        if not _is_affine(module, rest, shapes, facts.inputs):
            return None
        draws = _draws(facts, math.ceil(_EQUATIONS * unknowns / one.numel()))
        matrix = torch.cat([_matrix(module, rest, shapes, inputs) for inputs in draws])
        base = torch.cat([_flat(module, rest, torch.zeros(unknowns, dtype=torch.float64), shapes, i) for i in draws])
        rows = torch.randperm(len(base), generator=torch.Generator().manual_seed(0))[: 4 * unknowns + 16]
        return cls(module, rest, shapes, draws, matrix[rows], base[rows], rows)

    @property
    def known(self) -> Tensor:
        """Which parameters the outputs determine at all."""
        return self.matrix.abs().amax(0) > 0

    def solution(self, facts: Facts, state: State) -> dict[str, Tensor] | None:
        """The parameters that give the target's outputs in ``state``, ``None`` where none do."""
        with torch.no_grad():
            wanted = torch.cat([_joined(facts.evaluate(state, inputs)) for inputs in self.draws])[self.rows]
        aim = wanted - self.base
        found = torch.zeros(len(self.known), dtype=torch.float64)
        found[self.known] = torch.linalg.lstsq(self.matrix[:, self.known], aim[:, None]).solution[:, 0]
        size = float(aim.abs().max())
        if not math.isfinite(size) or float((self.matrix @ found - aim).abs().max()) > _FITTED * size:
            return None
        return _split(found, self.shapes)

    def holds(self, facts: Facts, made: Mapping[str, Tensor], state: State) -> bool:
        """Whether the candidate with the state ``made`` gives what the target gives in ``state``, at fresh inputs."""
        inputs = facts.subject.draw(seed=_DRAWS + 1)
        with torch.no_grad():
            theirs, ours = _evaluate(self.module, {}, made, inputs), _joined(facts.evaluate(state, inputs))
        return theirs is not None and float((ours - theirs).abs().max()) <= _EXPLAINED * float(ours.abs().max())


def _draws(facts: Facts, times: int) -> list[tuple[Tensor, ...]]:
    """Return draws of the inputs that give so many times the outputs: with the first free size grown, if it has one."""
    subject = facts.subject
    if subject.spec.free:
        symbol = subject.spec.free[0]
        size = subject.spec.usual_sizes[symbol]
        return [facts.inputs, subject.draw({symbol: min(size * (times + 1), _SIZE)}, seed=1)]
    return [facts.inputs, *(subject.draw(seed=seed) for seed in range(1, min(times, _DRAWS) + 1))]


def _explained(facts: Facts, system: _System, available: Sequence[Source]) -> dict[str, Explanation] | None:
    states, solutions = [drawn(facts, seed) for seed in range(_STATES)], list[dict[str, Tensor]]()
    for state in states:
        solution = system.solution(facts, state)
        if solution is None:
            return None
        vanishing = _vanishing(solution)
        if not is_spare(system.module, vanishing):
            return None
        solutions.append({**solution, **{name: torch.zeros_like(solution[name]) for name in vanishing}})
    known = _split(system.known, system.shapes)
    found = dict[str, Explanation]()
    for name in system.shapes:
        explanation = explain([solution[name] for solution in solutions], known[name], states, available)
        if explanation is None:
            return None
        found[name] = explanation
    return found


def _vanishing(solution: Mapping[str, Tensor]) -> list[str]:
    """The tensors that have to be zero."""
    size = max(float(tensor.abs().max()) for tensor in solution.values())
    return [name for name, tensor in solution.items() if float(tensor.abs().max()) <= _EXPLAINED * size]


def _is_affine(module: nn.Module, rest: State, shapes: Mapping[str, torch.Size], inputs: Sequence[Tensor]) -> bool:
    unknowns = sum(shape.numel() for shape in shapes.values())
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, unknowns, generator=generator, dtype=torch.float64)
    values = [_flat(module, rest, at, shapes, inputs) for at in (one, other, one + other, torch.zeros_like(one))]
    gap = (values[0] + values[1] - values[2] - values[3]).abs().max()
    return float(gap) <= 1e-10 * float(torch.stack(values).abs().max()) and bool((values[0] != values[3]).any())


def _matrix(module: nn.Module, rest: State, shapes: Mapping[str, torch.Size], inputs: Sequence[Tensor]) -> Tensor:
    unknowns = sum(shape.numel() for shape in shapes.values())
    base = _flat(module, rest, torch.zeros(unknowns, dtype=torch.float64), shapes, inputs)
    units = torch.eye(unknowns, dtype=torch.float64)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of operations that vmap knows in part
            columns = vmap(lambda at: _flat(module, rest, at, shapes, inputs), randomness="same")(units)
    except Exception:  # an operation that vmap does not know
        columns = torch.stack([_flat(module, rest, at, shapes, inputs) for at in units])
    return (columns - base).T


def _flat(
    module: nn.Module, rest: State, at: Tensor, shapes: Mapping[str, torch.Size], inputs: Sequence[Tensor]
) -> Tensor:
    value = _evaluate(module, rest, _split(at, shapes), inputs)
    assert value is not None
    return value


def _evaluate(module: nn.Module, rest: State, made: State, inputs: Sequence[Tensor]) -> Tensor | None:
    module.eval()
    with torch.no_grad():
        outputs = named_tensors(functional_call(module, {**rest, **made}, tuple(t.clone() for t in inputs)))
    return _joined(outputs) if outputs else None


def _joined(outputs: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([value.flatten() for value in outputs.values()])


def _split(vector: Tensor, shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    pieces = torch.split(vector, [shape.numel() for shape in shapes.values()])
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}
