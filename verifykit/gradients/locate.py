"""Finds which elements of which leaves have a wrong gradient, within a bounded number of evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from verifykit.comparison import unravelled
from verifykit.gradients.diagnose import Evidence, diagnose
from verifykit.gradients.function import Function, Linearization, real
from verifykit.gradients.probe import Probe, judge
from verifykit.gradients.verdict import Element, Mismatch

# A leaf of at most this many elements is expanded element by element; of a larger one, a sample is.
EXPANDED = 100
SAMPLED = 24


@dataclass(frozen=True)
class _Search:
    function: Function
    linear: Linearization
    probe: Probe
    leaf: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the leaf as reals."""
        return tuple(real(self.linear.leaves[self.leaf].detach()).shape)

    def restricted(self, chosen: Tensor | None) -> Probe:
        """The probe that moves only this leaf, and of it only the elements at these flat indices (as reals)."""
        tangent = self.probe.tangents[self.leaf]
        assert tangent is not None
        if chosen is not None:
            flat = real(tangent).flatten()
            kept = torch.zeros_like(flat)
            kept[chosen] = flat[chosen]
            kept = kept.reshape(self.shape)
            tangent = torch.view_as_complex(kept) if tangent.is_complex() else kept
        tangents: list[Tensor | None] = [None] * len(self.linear.leaves)
        tangents[self.leaf] = tangent
        return replace(self.probe, tangents=tangents)

    def wrong(self, chosen: Tensor | None) -> bool:
        """Whether the gradient along the chosen elements is wrong."""
        return judge(self.function, self.linear, self.restricted(chosen)).kind == "mismatch"

    def one_sample(self, indices: list[int], at: int) -> Tensor:
        """Numerical derivatives of these elements where only index ``at`` of the leading output dimension counts."""
        cotangents = []
        for cotangent in self.probe.cotangents:
            kept = torch.zeros_like(cotangent)
            kept[at] = cotangent[at]
            cotangents.append(kept)
        probe = replace(self.probe, cotangents=cotangents)
        search = replace(self, probe=probe)
        return torch.tensor([search.element(index)[1] for index in indices], dtype=torch.float64)

    def element(self, flat: int) -> tuple[float, float, float, bool]:
        """Analytic and numerical derivative of one element, its error bar, and whether they disagree."""
        chosen = self.restricted(torch.tensor([flat]))
        tangent = chosen.tangents[self.leaf]
        assert tangent is not None
        length = float(real(tangent).flatten()[flat])
        verdict = judge(self.function, self.linear, chosen, rungs=6)
        return (
            verdict.analytic / length,
            verdict.numerical / length,
            verdict.bar / abs(length),
            verdict.kind == "mismatch",
        )


def locate(function: Function, linear: Linearization, probe: Probe) -> Iterator[Mismatch]:
    """Yield one mismatch for each leaf whose gradient along the probe is wrong, with its worst element and pattern."""
    for leaf in range(len(linear.leaves)):
        if linear.leaves[leaf].numel() == 0:
            continue
        search = _Search(function, linear, probe, leaf)
        if search.wrong(None):
            yield _within(search)


def examine(function: Function, linear: Linearization, probe: Probe, leaf: int, indices: list[int]) -> Mismatch | None:
    """Return the mismatch among these elements (flat, as reals) of one leaf, if they are wrong by themselves."""
    search = _Search(function, linear, probe, leaf)
    return _described(search, indices) if any(search.element(index)[3] for index in indices) else None


def _within(search: _Search) -> Mismatch:
    size = prod(search.shape)
    if size <= EXPANDED:
        return _described(search, list(range(size)))
    found = _bisect(search)
    return _described(search, sorted({found, *_neighbours(found, search.shape), *_spread(size)}))


def _described(search: _Search, indices: list[int]) -> Mismatch:
    shape = search.shape
    rows = [search.element(index) for index in indices]
    analytic, numerical, bar, wrong = (torch.tensor(column, dtype=torch.float64) for column in zip(*rows, strict=True))
    gradient = real(search.probe.gradients[search.leaf]).flatten()
    evidence = Evidence(
        shape=shape,
        indices=torch.tensor(indices),
        analytic=analytic,
        numerical=numerical,
        wrong=wrong.bool(),
        leaf=real(search.linear.leaves[search.leaf].detach()).flatten()[torch.tensor(indices)],
        gradient=gradient,
        output_shapes=[tuple(output.shape) for output in search.linear.outputs],
        one_sample=[search.one_sample(indices, at) for at in (0, -1)] if _same_leading(search.linear.outputs) else [],
    )
    worst = int(((analytic - numerical).abs() * wrong).argmax())
    index = unravelled(indices[worst], shape)
    element = Element(
        search.linear.names[search.leaf], index, float(analytic[worst]), float(numerical[worst]), float(bar[worst])
    )
    pattern, cause = diagnose(evidence)
    return Mismatch(element, int(wrong.sum()), len(indices), pattern, cause)


def _same_leading(outputs: list[Tensor]) -> bool:
    return all(output.ndim for output in outputs) and len({len(output) for output in outputs} - {1}) == 1


def _bisect(search: _Search) -> int:
    """Halve the set of elements, keeping a half that is wrong, down to one; the half with more weight where neither
    half can be told to be wrong.
    """
    chosen = torch.arange(prod(search.shape))
    while len(chosen) > 1:
        halves = chosen.tensor_split(2)
        judged = [judge(search.function, search.linear, search.restricted(half)) for half in halves]
        worst = max((0, 1), key=lambda i: (judged[i].kind == "mismatch", abs(judged[i].analytic - judged[i].numerical)))
        chosen = halves[worst]
    return int(chosen[0])


def _neighbours(flat: int, shape: tuple[int, ...]) -> set[int]:
    """A few elements that share all but one index with this one: its row, its column, and so on."""
    found = set()
    at = list(unravelled(flat, shape))
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    for axis, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        others = torch.linspace(0, size - 1, min(size, 6)).round().long().tolist()
        found |= {flat + (other - at[axis]) * stride for other in others}
    return found


def _spread(size: int) -> set[int]:
    generator = torch.Generator().manual_seed(0)
    return set(torch.randint(size, (SAMPLED,), generator=generator).tolist())
