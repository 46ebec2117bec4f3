from collections.abc import Callable

import pytest

from verifykit.config import TargetConfig
from verifykit.errors import SpecError
from verifykit.spec.declared import declared_spec, parse_init_option, parse_input_option
from verifykit.targets import resolve

SOURCE = """
class Layer(nn.Linear):
    __verifykit__ = {"init": {"in_features": 5, "out_features": 3}, "inputs": {"input": "float[N, in_features]"}}
"""


def test_the_command_line_comes_first_and_every_part_remembers_its_source(module_file: Callable[[str], str]) -> None:
    target = resolve(f"{module_file(SOURCE)}:Layer")
    pinned = TargetConfig({"in_features": 7, "out_features": 8})
    spec = declared_spec(target, TargetConfig({"in_features": 6}), pinned)
    assert dict(spec.init) == {"in_features": 6, "out_features": 8}
    assert spec.sources == {
        "init.in_features": "command line",
        "init.out_features": "pyproject",
        "inputs.input": "__verifykit__",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=3", 3), ("a = 'x'", "x"), ("a=[1, 2]", [1, 2]), ("a=None", None), ("a=-1e-3", -1e-3)],
)
def test_init_options(text: str, value: object) -> None:
    assert parse_init_option(text) == ("a", value)


@pytest.mark.parametrize("text", ["a", "=3", "a b=3", "a=b", "a=f(1)", "a=", "a=" + "(" * 500])
def test_malformed_init_options(text: str) -> None:
    with pytest.raises(SpecError, match="is malformed"):
        parse_init_option(text)


@pytest.mark.parametrize("text", ["x", "x float[N]", "1x: float[N]", ": float[N]", "x: float", "x: "])
def test_malformed_input_options(text: str) -> None:
    with pytest.raises(SpecError, match="malformed"):
        parse_input_option(text)
