from collections.abc import Callable
from pathlib import Path

import pytest

from verifykit.testing import run_one

LAYER = """
import functools, threading
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        {init}
    def run(self, x, k=1):
        return self.linear(x) * k
    def forward(self, x):
        return {body}
    {methods}
"""
X = {"x": "float[N, 4]"}


def _source(init: str = "pass", body: str = "self.linear(x)", methods: str = "") -> str:
    return LAYER.format(init=init, body=body, methods=methods)


# constructor, forward, methods, severity, words of the message
BUGS = {
    # bug: a hook over self
    "hook": (
        "self.linear.register_forward_hook(lambda m, i, o: o * self.linear.bias)", "self.linear(x)", "",
        "error", "hook of linear",
    ),
    # bug: not a leaf, from the constructor on
    "graph": ("self.w = self.linear.weight * 2", "x @ self.w.to(x).T", "", "error", "self.w"),
    # bug: a copy made anew, with fresh weights
    "anew": (
        "pass", "self.linear(x)",
        "def __deepcopy__(self, memo): return type(self)().to(self.linear.weight)", "error", "something else",
    ),
    # bug: a generator object cannot be pickled, nor copied
    "generator": ("self.steps = (i for i in range(3))", "self.linear(x)", "", "error", "self.steps"),
    # bug: a value that pickling loses
    "state": (
        "self.k = 2", "self.linear(x) * getattr(self, 'k', 1)",
        "def __getstate__(self): return {k: v for k, v in self.__dict__.items() if k != 'k'}",
        "error", "something else",
    ),
    # bug: a local function
    "local": ("self.f = lambda x: x.tanh()", "self.f(self.linear(x))", "", "warning", "self.f"),
}  # fmt: skip


@pytest.mark.parametrize(("init", "body", "methods", "severity", "words"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], init: str, body: str, methods: str, severity: str, words: str) -> None:
    (finding,) = run_one("copy", f"{module_file(_source(init, body, methods))}:Layer", inputs=X).findings
    assert finding.severity == severity
    assert words in finding.message


CORRECT = {
    # correct: a bound method follows its copy
    "partial": ("self.f = functools.partial(self.run, k=2)", "self.f(x)"),
    # correct: one parameter under two names
    "tied": ("self.b = nn.Linear(4, 4); self.b.weight = self.linear.weight", "self.b(self.linear(x))"),
    # correct: torch itself refuses to pickle it
    "parametrized": ("nn.utils.parametrizations.weight_norm(self.linear)", "self.linear(x)"),
    # correct: a function of a library
    "activation": ("self.f = torch.tanh", "self.f(self.linear(x))"),
}


@pytest.mark.parametrize(("init", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], init: str, body: str) -> None:
    outcome = run_one("copy", f"{module_file(_source(init, body))}:Layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_file_of_a_name_that_is_taken_can_be_pickled(module_file: Callable[[str], str], tmp_path: Path) -> None:
    # correct: that the module of this name is another one now is the loader's doing
    first = f"{module_file(_source())}:Layer"
    assert run_one("copy", first, inputs=X).status == "passed"
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "audited.py").write_text((tmp_path / "audited.py").read_text())
    assert run_one("copy", f"{other / 'audited.py'}:Layer", inputs=X).status == "passed"
    assert run_one("copy", first, inputs=X).status == "passed"


def test_undecided_where_calls_depend_on_those_before(module_file: Callable[[str], str]) -> None:
    source = _source("self.n = 0", "self.linear(x) * self.count()", "def count(self): self.n += 1; return self.n")
    assert run_one("copy", f"{module_file(source)}:Layer", inputs=X).status == "inconclusive"


def test_functions_are_skipped() -> None:
    assert run_one("copy", "torch.nn.functional:relu", inputs={"input": "float[N]"}).status == "skipped"


def test_what_a_call_keeps_with_its_graph_is_a_warning(module_file: Callable[[str], str]) -> None:
    # bug: the output is kept, graph and all
    source = _source("self.last = None", "self.keep(self.linear(x))", "def keep(self, y): self.last = y; return y")
    (finding,) = run_one("copy", f"{module_file(source)}:Layer", inputs=X).findings
    assert finding.severity == "warning"
    assert "after it has been called because of self.last" in finding.message
