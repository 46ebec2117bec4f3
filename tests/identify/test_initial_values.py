"""Modules that compute the same and start from other values are told apart, those that start alike are not."""

from pathlib import Path

import pytest

from verifykit.identify.facts import facts_of
from verifykit.identify.initialisation import difference
from verifykit.identify.search import identified
from verifykit.runner import Plan, prepare

LINEAR = """
import math
import torch
from torch import nn

class Layer(nn.Module):
    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        {init}
    def forward(self, x):
        return x @ self.weight.T + self.bias
"""

SAME = (
    "bound = in_features**-0.5; nn.init.uniform_(self.weight, -bound, bound); "
    "nn.init.uniform_(self.bias, -bound, bound)"
)


def told(tmp_path: Path, init: str) -> str | None:
    (tmp_path / "linear.py").write_text(LINEAR.format(init=init))
    subject, _ = prepare(f"{tmp_path}/linear.py:Layer", Plan([]))
    found = identified(subject)
    assert found is not None
    start = difference(facts_of(subject), found.match)
    return start.text if start else None


def test_the_same_initialisation_is_not_remarked(tmp_path: Path) -> None:
    assert told(tmp_path, SAME) is None


NORMAL = "nn.init.normal_(self.weight); nn.init.normal_(self.bias)"
# The same spread, another shape.
AS_WIDE = "s = (3 * in_features)**-0.5; nn.init.normal_(self.weight, std=s); nn.init.normal_(self.bias, std=s)"


@pytest.mark.parametrize(
    ("init", "says"),
    [
        (NORMAL, "N(0, 1) where Linear has U("),
        (NORMAL, "outputs are about sqrt(3·fan_in) = 4."),
        (SAME + "; nn.init.zeros_(self.bias)", "bias is 0 where"),
        (AS_WIDE, "weight is N(0, 0.2"),
    ],
)
def test_another_one_is_named(tmp_path: Path, init: str, says: str) -> None:
    text = told(tmp_path, init)
    assert text is not None
    assert says in text
