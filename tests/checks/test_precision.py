from collections.abc import Callable

import pytest

from verifykit.testing import run_one

X = {"x": "float[N, 5]"}


def outcome_of(module_file: Callable[[str], str], source: str) -> object:
    return run_one("precision", f"{module_file(source)}:layer", inputs=X)


BUGS = {
    # bug: single precision in so many words, mostly meant for half precision
    "float": ("x.float().tanh().to(x.dtype)", "warning", "float() rounds to float32"),
    # bug: half precision
    "half": ("x.half().to(x.dtype) * 2", "error", "half() rounds to float16"),
    # bug: a constant of a type that holds half of its digits
    "constant": ("x * torch.tensor(0.1)", "warning", "a constant made by tensor() has the digits of float32 only"),
    # bug: NumPy rounds where torch does not see it
    "numpy": ("Rounded.apply(x).sin()", "error", "the outputs are rounded to about"),
}
ROUNDED = """
class Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return torch.from_numpy(x.detach().numpy().astype("float32").astype("float64")).to(x.dtype)
    @staticmethod
    def backward(ctx, g): return g
"""


@pytest.mark.parametrize(("body", "severity", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, said: str) -> None:
    path = module_file(f"{ROUNDED}\ndef layer(x): return {body}")
    (finding,) = run_one("precision", f"{path}:layer", inputs=X).findings
    assert finding.severity == severity
    assert said in finding.message


CORRECT = [
    # correct: constants that float32 holds exactly
    "x * torch.tensor(0.5) + torch.arange(5).float()",
    # correct: a decision is taken in single precision
    "torch.where(x.float() > 0, x, 2 * x)",
    # correct: a mask is exact in any type
    "x * (x > 0).float()",
    # correct: kinks everywhere, and a steep function, are no roughness
    "F.relu(x).abs() + torch.sin(1e4 * x) + torch.floor(x)",
    # correct: NumPy in double precision
    "x + torch.from_numpy(np.sin(x.detach().numpy())).detach()",
    # correct: an ill-conditioned function loses digits to rounding in double precision only
    "(x + 1e5) ** 2 - (x - 1e5) ** 2",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(f"import numpy as np\ndef layer(x): return {body}")
    outcome = run_one("precision", f"{path}:layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_noise_tells_nothing(module_file: Callable[[str], str]) -> None:
    path = module_file("def layer(x): return x + torch.rand(5)")
    assert run_one("precision", f"{path}:layer", inputs=X).status == "skipped"
