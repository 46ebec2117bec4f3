from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.size = nn.Linear(4, 4, bias=False), [4]
    def forward(self, x):
        self.seen = len(x)
        return self.linear(x)
    def {name}(self):
        return {text}
"""


def _run(module_file: Callable[[str], str], text: str, name: str = "extra_repr") -> CheckOutcome:
    return run_one("repr", f"{module_file(LAYER.format(text=text, name=name))}:Layer", inputs=X)


# what is returned, the method, severity, words of the message
BUGS = {
    # bug: no bias
    "none": ("str(self.linear.bias.shape)", "extra_repr", "error", "raises AttributeError"),
    # bug: known after a call only
    "too early": ("f'{self.seen}'", "extra_repr", "error", "before its first call"),
    # bug: no string
    "number": ("5", "__repr__", "error", "no string"),
    # bug: takes from a list
    "pops": ("f'{self.size and self.size.pop()}'", "extra_repr", "error", "changes self.size"),
    # bug: switches the mode
    "mode": ("f'{self.train().training}'", "extra_repr", "error", "training mode"),
    # bug: it draws an example
    "draws": ("f'{torch.randn(1).item():.1f}'", "extra_repr", "warning", "random generator"),
}


@pytest.mark.parametrize(("text", "name", "severity", "words"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], text: str, name: str, severity: str, words: str) -> None:
    (finding,) = _run(module_file, text, name).findings
    assert finding.severity == severity
    assert words in finding.message
    assert finding.location is not None
    assert finding.location.line in (11, 12, 13)


# correct: nothing to say; a few numbers; says less before the first call
CORRECT = [
    "''",
    # correct: an attribute that may be missing
    "f'{getattr(self, \"seen\", None)}'",
    # correct: a short summary of values
    "f'weight of norm {self.linear.weight.norm():.2f}'",
]


@pytest.mark.parametrize("text", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], text: str) -> None:
    outcome = _run(module_file, text)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_thousands_of_numbers_are_a_note(module_file: Callable[[str], str]) -> None:
    outcome = _run(module_file, "f'{list(range(2000))}'")
    assert outcome.status == "passed"
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_functions_are_skipped() -> None:
    assert run_one("repr", "torch.nn.functional:relu", inputs={"input": "float[N]"}).status == "skipped"
