"""What a first look at one candidate sees."""

import math
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from verifykit.identify.candidate import Candidate, Match
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.screening import SAME, screen_of
from verifykit.runner import Plan, prepare
from verifykit.spec.reference import Reference
from verifykit.targets import Target

LAYER = """
from torch import nn
class Layer(nn.Module):
    __verifykit__ = {"inputs": {INPUTS}}
    def __init__(self):
        super().__init__()
        self.inner = INNER
    def forward(self, *inputs):
        return self.inner(*inputs)
"""


def facts(tmp_path: Path, inner: str, **inputs: str) -> Facts:
    """Of a module that passes its inputs on to ``inner``."""
    source = LAYER.replace("INNER", inner).replace("{INPUTS}", repr(inputs)).replace("*inputs", ", ".join(inputs))
    (tmp_path / "layer.py").write_text(source)
    return facts_of(prepare(f"{tmp_path}/layer.py:Layer", Plan([]))[0])


def match(facts: Facts, make: Any, *, within: float = math.inf, **init: Any) -> Match | None:
    kind: Any = "class" if isinstance(make, type) else "function"
    reference = Reference(Target(make.__name__, make, kind, None), init)
    candidate = Candidate(make.__name__, reference, make.__name__)
    return screen_of(facts).matches(candidate, within=within)


def divergence(input: Tensor, target: Tensor) -> Tensor:
    return (target.exp() * (target - input)).mean()


@pytest.mark.parametrize("within", [math.inf, SAME])
def test_running_statistics_are_looked_at(tmp_path: Path, within: float) -> None:
    seen = facts(tmp_path, "nn.BatchNorm1d(4, momentum=0.9)", x="float[N, 4]")
    equal = match(seen, nn.BatchNorm1d, within=within, num_features=4, momentum=0.9)
    other = match(seen, nn.BatchNorm1d, within=within, num_features=4)
    assert equal is not None
    assert other is not None
    assert equal.residual <= SAME < other.residual


def test_inputs_that_names_exchange_are_a_deviation(tmp_path: Path) -> None:
    source = "(lambda x, y: (x.exp() * (x - y)).mean())"
    told = match(facts(tmp_path, source, prediction="float[N, 4]", target="float[N, 4]"), divergence)
    silent = match(facts(tmp_path, source, a="float[N, 4]", b="float[N, 4]"), divergence)
    assert told is not None
    assert silent is not None
    assert told.deviations == ("prediction and target are exchanged",)
    assert silent.deviations == ()
    assert silent.notes == ("its inputs are taken in the order b, a",)


def test_one_of_many_is_left_where_it_is_far_off(tmp_path: Path) -> None:
    seen = facts(tmp_path, "nn.Tanh()", x="float[N, 4]")
    assert match(seen, nn.Hardtanh, within=SAME) is None
    assert match(seen, nn.Hardtanh) is not None
    assert match(seen, nn.Tanh, within=SAME) is not None


def test_a_factor_does_not_make_one_of_many(tmp_path: Path) -> None:
    seen = facts(tmp_path, "(lambda x: 3 * x.tanh())", x="float[N, 4]")
    whole = match(seen, nn.Tanh)
    assert whole is not None
    assert whole.scale == pytest.approx(3.0)
    assert match(seen, nn.Tanh, within=SAME) is None
