import logging
from collections.abc import Callable

import pytest

from verifykit.checks import compile as under_test
from verifykit.testing import run_one


@pytest.fixture(autouse=True)
def without_inductor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus takes the seconds that inductor needs; aot_eager does here."""
    made = under_test._Compilation.__init__

    def refusing(self: under_test._Compilation, subject: object, backend: str) -> None:
        if backend == "inductor":
            raise RuntimeError("no C++ compiler")
        made(self, subject, backend)  # type: ignore[arg-type]

    monkeypatch.setattr(under_test._Compilation, "__init__", refusing)


def _layer(module_file: Callable[[str], str], body: str) -> str:
    return f"{module_file(f'def layer(x):{chr(10)}{body}')}:layer"


# correct: one graph for every call
CORRECT = [
    "    return x.sin()",
    # correct: a loop in Python over a size that does not change
    "    return sum((x[:, i : i + 1] * i for i in range(4)), x)",
    # correct: a branch on a shape, which holds for each batch size alike
    "    return x * 2 if x.shape[1] == 4 else x",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("compile", _layer(module_file, body), inputs={"x": "float[N, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
    assert outcome.verified[0].what == "outputs and gradients compiled by aot_eager, in 1 graph"


def test_a_graph_break_is_a_warning_with_its_line(module_file: Callable[[str], str]) -> None:
    path = _layer(module_file, "    y = x * 2\n    print(end='')\n    return y.sin()")  # bug: left over from debugging
    (finding,) = run_one("compile", path, inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "warning"
    assert finding.location is not None
    assert finding.location.line == 6


def test_compiling_for_every_batch_size_is_a_warning(module_file: Callable[[str], str]) -> None:
    path = _layer(module_file, "    return torch.cat([x[i : i + 1] * i for i in range(len(x))])")  # bug: unrolled
    (finding,) = run_one("compile", path, inputs={"x": "float[N, 4]"}).findings
    assert "anew for every size of N" in finding.message


def test_other_values_are_an_error(module_file: Callable[[str], str]) -> None:
    path = _layer(module_file, "    return x * (2 if torch.compiler.is_compiling() else 3)")  # bug: two formulas
    (finding,) = run_one("compile", path, inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "error"
    assert finding.evidence["tensor"] == "output"


def test_settings_are_put_back(module_file: Callable[[str], str]) -> None:
    before = logging.root.manager.disable
    run_one("compile", _layer(module_file, "    return x * 2"), inputs={"x": "float[N, 4]"})
    assert logging.root.manager.disable == before
