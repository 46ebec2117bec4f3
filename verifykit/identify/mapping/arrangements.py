"""The ways in which the state of a candidate can be made from that of the target, the most plausible first."""

from collections.abc import Iterator
from itertools import chain, islice

from torch import nn

from verifykit.identify.candidate import Arrangement
from verifykit.identify.facts import Facts
from verifykit.identify.mapping.fitting import fitted
from verifykit.identify.mapping.structural import structural

# Arrangements that are offered for one candidate; for one of so many tensors that their names have to tell, fewer.
_MOST = 200
_MANY, _FEW = 8, 24


def arrangements(facts: Facts, module: nn.Module) -> Iterator[Arrangement]:
    """Yield the ways to make the state of ``module``, a candidate in float64, of that of the target."""
    most = _FEW if sum(1 for _ in module.parameters()) > _MANY else _MOST
    yield from islice(chain(structural(facts, module), fitted(facts, module)), most)
