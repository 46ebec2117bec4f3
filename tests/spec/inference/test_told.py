"""What is written about a module is used before anything is searched."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from verifykit.runner import Plan, prepare
from verifykit.spec.inference.examples import Example, uses
from verifykit.spec.model import Spec

ANNOTATED = """
from jaxtyping import Bool, Float, Int
from torch import Tensor

class Mix(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.heads = 2
    def forward(
        self,
        x: Float[Tensor, "*batch tokens in_features"],
        other: Float[Tensor, "tokens heads"],
        keep: Bool[Tensor, "tokens"],
    ) -> Float[Tensor, "*batch tokens out_features"]:
        assert other.shape[-1] == self.heads
        return self.linear(x) * keep[:, None] + other.sum()
"""

DOCUMENTED = '''
class Shift(nn.Module):
    """Shifts.

    Example::

        >>> width = 4
        >>> layer = Shift(ways={"left": 1, "right": 2}, span=(3, width))
        >>> layer(torch.randn(5, 3, 2 * width))
    """
    def __init__(self, ways, span):
        super().__init__()
        self.by = ways["left"] + ways["right"] + span[1]
    def forward(self, x):
        batch, rows, columns = x.shape
        if columns % 4:
            raise ValueError("not today")
        return torch.roll(x, self.by, -1)
'''

USED = """
class Odd(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table = dict(table)
    def forward(self, x):
        return x * self.table["gain"]
"""


def spec_of(name: str) -> Spec:
    return prepare(name, Plan([]))[0].spec


@pytest.mark.parametrize("as_text", [True, False])
def test_annotations_of_jaxtyping(module_file: Callable[[str], str], as_text: bool) -> None:
    source = re.sub(r': ((Float|Bool)\[Tensor, "(.*)"\])', r""": '\1'""", ANNOTATED) if as_text else ANNOTATED
    spec = spec_of(f"{module_file(source)}:Mix")
    assert [str(entry) for entry in spec.inputs] == [
        "x: float[N, tokens, in_features]",
        "other: float[tokens, 2]",
        "keep: bool[tokens]",
    ]
    assert spec.sources["inputs.x"].startswith("annotation")


def test_an_example_in_the_docstring_builds_and_feeds(module_file: Callable[[str], str]) -> None:
    spec = spec_of(f"{module_file(DOCUMENTED)}:Shift")
    assert spec.init == {"ways": {"left": 1, "right": 2}, "span": (3, 4)}
    assert spec.sources["init.ways"] == "docstring"
    assert spec.inputs[0].shape[-1] == "8*L" or "4*" in str(spec.inputs[0].shape[-1])


def test_usage_in_the_project_builds(
    module_file: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = module_file(USED)
    Path(target).with_name("elsewhere.py").write_text(
        "raise SystemExit('never run')\nfrom layers import Odd\nodd = Odd([('gain', 2.0)])\nodd(torch.ones(3, 4))\n"
    )
    monkeypatch.chdir(Path(target).parent)
    spec = spec_of(f"{target}:Odd")
    assert spec.init == {"table": [("gain", 2.0)]}
    assert spec.sources["init.table"] == "usage"


def test_a_namesake_defined_elsewhere_is_no_usage(
    module_file: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = module_file(USED)
    other = "class Odd:\n    def __init__(self, table): ...\nOdd([('gain', 2.0)])\n"
    Path(target).with_name("elsewhere.py").write_text(other)
    monkeypatch.chdir(Path(target).parent)
    assert spec_of(f"{target}:Odd").init == {"table": {"gain": 4}}


class Thing:
    def __init__(self, a: int, b: int = 0) -> None: ...


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Thing(3)", [Example({"a": 3})]),
        ("n = 4\nThing(n, b=n + 1)", [Example({"a": 4, "b": 5})]),
        ("t = m.Thing(1)\nx = torch.randn(2, 3)\nt(x)", [Example({"a": 1}), Example({"a": 1}, {0: ("float", (2, 3))})]),
        (
            "t = Thing(1)\nt(y=torch.randint(0, 5, (7,)))",
            [Example({"a": 1}), Example({"a": 1}, {"y": ("long", (7,))})],
        ),
        ("Thing(read())", []),
        ("Thing(*arguments)", []),
        ("not python", []),
        (
            "a, b = 2, 3\nThing(a)(torch.zeros((a, b)).bool())",
            [Example({"a": 2}), Example({"a": 2}, {0: ("float", (2, 3))})],
        ),
    ],
)
def test_reading_uses(code: str, expected: list[Example]) -> None:
    found = uses(code, Thing)
    assert all(use in found for use in expected)
    assert bool(found) == bool(expected)


CONFIGURED = """
class Config:
    def __init__(self, rate, hidden):
        self.rate, self.hidden = rate, hidden

class Annotated(nn.Module):
    def __init__(self, config: Config, mode: Literal["pre", "post"]):
        super().__init__()
        self.before = {"pre": True, "post": False}[mode]
        self.linear = nn.Linear(config.hidden, config.hidden)
    def forward(self, x):
        return self.linear(x)

class Attributes(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.linear = nn.Linear(cfg.in_features, cfg.out_features, bias=cfg.use_bias)
    def forward(self, x):
        return self.linear(x)

class Keys(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.linear = nn.Linear(cfg["in_features"], cfg["out_features"])
    def forward(self, x):
        return self.linear(x)

class Hinge(nn.Module):
    def forward(self, scores, y):
        assert set(y.unique().tolist()) <= {-1, 1}, "labels must be +1 or -1"
        return F.relu(1 - y * scores).mean()

class DocumentedHingeLoss(nn.Module):
    '''Hinge loss; y contains 1 or -1.'''
    def forward(self, scores, y):
        return F.relu(1 - y * scores).mean()

class Spline(nn.Module):
    def forward(self, x, knots):
        if (knots.diff() < 0).any():
            raise ValueError("knots must be sorted")
        return torch.searchsorted(knots, x) + x
"""


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("Annotated", "x: float[N, 10]"),
        ("Attributes", "x: float[N, 6]"),
        ("Keys", "x: float[N, 6]"),
        ("Hinge", "scores: float[N, D]; y: float[N, D] in {-1, 1}"),
        ("DocumentedHingeLoss", "scores: float[N, D]; y: float[N, D] in {-1, 1}"),
        ("Spline", "x: float[N, D]; knots: float[N, S] in sorted"),
    ],
)
def test_configurations_and_unusual_values(module_file: Callable[[str], str], name: str, inputs: str) -> None:
    spec = spec_of(f"{module_file('from typing import Literal' + chr(10) + CONFIGURED)}:{name}")
    assert "; ".join(map(str, spec.inputs)) == inputs
    if name == "Annotated":
        assert (spec.init["mode"], spec.sources["init.mode"]) == ("pre", "annotation")
