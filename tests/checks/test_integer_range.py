from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn({rows}, 3))
        self.register_buffer("offset", torch.tensor([0, 6]))
    def forward(self, ids):
        return {body}
"""

BUGS = {
    # bug: counting from 1
    "shifted": (6, "self.table[ids - 1]", "warning", "ids = 0 reads place -1"),
    # bug: brackets wrap around
    "wrapped": (6, "self.table[ids]", "warning", "ids = -1"),
    # bug: two columns in one table
    "columns": (12, "F.embedding(ids + self.offset, self.table)", "warning", "place 6, which belongs to another value"),
    # bug: a table that is reversed reads beyond its front
    "reversed": (6, "self.table[5 - ids]", "warning", "place -1"),
}


@pytest.mark.parametrize(("rows", "body", "severity", "told"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], rows: int, body: str, severity: str, told: str) -> None:
    path = module_file(MODULE.format(rows=rows, body=body))
    (finding,) = run_one("integer-range", f"{path}:Layer", inputs={"ids": "long[N, 2] in below 6"}).findings
    assert finding.severity == severity
    assert told in finding.message
    assert finding.location is not None
    assert finding.location.line == 11


def test_the_greatest_value_is_tried(module_file: Callable[[str], str]) -> None:
    # bug: a row too few, which six values out of sixty do not meet
    path = module_file(MODULE.format(rows=59, body="F.embedding(ids, self.table)"))
    (finding,) = run_one("integer-range", f"{path}:Layer", inputs={"ids": "long[N, 2] in below 60"}).findings
    assert finding.severity == "error"
    assert "ids = 59" in finding.message


CORRECT = {
    # correct: what lies beyond is refused
    "embedding": (6, "F.embedding(ids, self.table)"),
    # correct: one row more, for a mask token
    "spare row": (7, "F.embedding(ids, self.table)"),
    # correct: compared, not used as a place
    "compared": (6, "(ids[..., None] == torch.arange(6)).to(self.table.dtype) @ self.table"),
    # correct: numbers, not places
    "numbers": (6, "ids[..., None] * self.table[0]"),
    # correct: -1 stands for none, and is masked
    "masked": (6, "F.embedding(ids.clamp(min=0), self.table) * (ids >= 0)[..., None]"),
}


@pytest.mark.parametrize(("rows", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], rows: int, body: str) -> None:
    path = module_file(MODULE.format(rows=rows, body=body))
    outcome = run_one("integer-range", f"{path}:Layer", inputs={"ids": "long[N, 2] in below 6"})
    assert outcome.status == "passed", outcome
    assert not outcome.findings


def test_what_is_brought_back_on_purpose_is_noted(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(rows=6, body="F.embedding(ids % 6, self.table)"))
    outcome = run_one("integer-range", f"{path}:Layer", inputs={"ids": "long[N, 2] in below 6"})
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_places_among_activations_are_noted(module_file: Callable[[str], str]) -> None:
    path = module_file("class Pick(nn.Module):\n    def forward(self, x, ids):\n        return x[ids]\n")
    inputs = {"x": "float[6, 3]", "ids": "long[E] in below 6"}
    assert [f.severity for f in run_one("integer-range", f"{path}:Pick", inputs=inputs).findings] == ["note"]


# correct: labels of a loss
def test_labels() -> None:
    inputs = {"input": "float[N, 6]", "target": "long[N] in below 6"}
    outcome = run_one("integer-range", "torch.nn:CrossEntropyLoss", inputs=inputs)
    assert outcome.status == "passed"
    assert not outcome.findings


def test_no_integers() -> None:
    assert run_one("integer-range", "torch.nn:ReLU", inputs={"input": "float[N]"}).status == "skipped"
