from collections.abc import Callable

import pytest
import torch

from verifykit.testing import run_one

X = {"x": "float[N, 4]"}


def test_the_line_and_the_function_are_named(module_file: Callable[[str], str]) -> None:
    # bug: a ramp of the default type
    path = module_file("""
def layer(x):
    ramp = torch.linspace(0, 1, 4)
    return x * ramp
""")
    (finding,) = run_one("default-dtype", f"{path}:layer", inputs=X).findings
    assert finding.severity == "warning"
    assert "linspace() makes a tensor of the default type" in finding.message
    assert finding.location is not None
    assert finding.location.line == 6


def test_raising(module_file: Callable[[str], str]) -> None:
    # bug: the product of two types
    path = module_file("def layer(x): return (x * torch.linspace(0, 1, 4)) @ x.T")
    (finding,) = run_one("default-dtype", f"{path}:layer", inputs=X).findings
    assert finding.severity == "warning"
    assert "raises" in finding.message


# correct: it follows the input; a single number; integers; a decision
CORRECT = [
    "x * torch.linspace(0, 1, 4, dtype=x.dtype)",
    "x * torch.tensor(0.5)",
    "x * torch.arange(4)",
    "(x > 0).float()",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    assert run_one("default-dtype", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X).findings == []


def test_the_default_is_put_back() -> None:
    run_one(
        "default-dtype", "torch.nn:Linear", init={"in_features": 4, "out_features": 2}, inputs={"input": "float[N, 4]"}
    )
    assert torch.get_default_dtype() == torch.float32
