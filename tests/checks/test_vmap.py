from collections.abc import Callable

import pytest

from verifykit.testing import run_one

# correct: modules on which torch.func and a loop must agree, though they may look odd
CORRECT = {
    # correct: a weight that two layers share
    "tied": (
        "class Layer(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.into, self.out = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)\n"
        "        self.out.weight = self.into.weight\n"
        "    def forward(self, x):\n"
        "        return self.out(self.into(x))",
        {"x": "long[N] in below 7"},
    ),
    # correct: samples along the second dimension, and an output that is no tensor
    "sequence first": (
        "class Layer(nn.Module):\n"
        "    batch_first = False\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(4, 4)\n"
        "    def forward(self, x):\n"
        "        return {'mean': self.linear(x).tanh().mean(0), 'length': len(x)}",
        {"x": "float[T, N, 4]"},
    ),
    # correct: complex parameters
    "complex": (
        "class Layer(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.randn(4, dtype=torch.complex64))\n"
        "    def forward(self, x):\n"
        "        return x * self.weight",
        {"x": "complex[N, 4]"},
    ),
}


@pytest.mark.parametrize(("source", "inputs"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], source: str, inputs: dict[str, str]) -> None:
    outcome = run_one("vmap", f"{module_file(source)}:Layer", inputs=inputs)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_it_names_the_parameter_and_the_element(module_file: Callable[[str], str]) -> None:
    path = module_file(
        "class Layer(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.good, self.lost = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))\n"
        "        self.kept = (self.lost,)\n"
        "    def forward(self, x):\n"
        "        return x * self.good + self.kept[0]  # bug: functional_call replaces self.lost only\n"
    )
    (finding,) = run_one("vmap", f"{path}:Layer", inputs={"x": "float[N, 3]"}).findings
    assert finding.severity == "error"
    assert finding.evidence["tensor"] == "lost"
    assert finding.evidence["vmap"] == 0.0


def test_what_vmap_refuses_is_a_note_with_the_line(module_file: Callable[[str], str]) -> None:
    path = module_file(
        "class Layer(nn.Module):\n"
        "    def forward(self, x):\n"
        "        if x.sum() > 0:\n"
        "            return x * 2\n"
        "        return x * 3\n"
    )
    outcome = run_one("vmap", f"{path}:Layer", inputs={"x": "float[N, 3]"})
    (finding,) = outcome.findings
    assert (outcome.status, finding.severity) == ("passed", "note")
    assert finding.location is not None
    assert finding.location.line == 6


@pytest.mark.parametrize(
    ("body", "inputs", "reason"),
    [
        ("x.T", {"x": "float[3, 4]"}, "no dimension of the inputs counts samples"),
        ("x * 2", {"x": "long[N, 4] in below 5"}, "no parameter and no input"),
        ("x @ y", {"x": "float[N, 4]", "y": "float[4, N]"}, None),
        ("y @ x", {"x": "float[N, 4]", "y": "float[N, N]"}, "more than one dimension"),
    ],
)
def test_where_it_does_not_apply(
    module_file: Callable[[str], str], body: str, inputs: dict[str, str], reason: str | None
) -> None:
    path = module_file(f"def layer({', '.join(inputs)}):\n    return {body}")
    outcome = run_one("vmap", f"{path}:layer", inputs=inputs)
    if reason is None:
        assert outcome.status == "passed"
    else:
        assert outcome.status == "skipped"
        assert reason in (outcome.reason or "")


def test_a_module_that_does_not_repeat_itself_is_not_decided(module_file: Callable[[str], str]) -> None:
    path = module_file("import os\ndef layer(x):\n    return x * (1 + int.from_bytes(os.urandom(4), 'big'))")
    assert run_one("vmap", f"{path}:layer", inputs={"x": "float[N]"}).status == "inconclusive"
