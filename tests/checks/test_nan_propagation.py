from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    {doc}
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        return {body}
"""

BUGS = {
    # bug: the greatest of NaN and 0 is taken to be 0
    "fmax": "torch.fmax(self.linear(x), torch.zeros(()))",
    # bug: means that leave NaN out
    "nanmean": "x.nanmean(-1)",
    # bug: a comparison sends NaN to the bound
    "bound": "torch.where(x < 1, x, 1.0) if not x.isnan().any() else torch.where(x > -9, x, 1.0)",
}


@pytest.mark.parametrize("body", BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(MODULE.format(doc="", body=body))
    outcome = run_one("nan-propagation", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "failed", outcome
    assert {finding.severity for finding in outcome.findings} == {"warning"}
    assert "x[" in outcome.findings[0].message


CORRECT = {
    # correct: NaN times False is NaN
    "product with a mask": "x * (x > 0)",
    # correct: the element is used in training only, so nothing depends on it
    "greatest": "self.linear(x).max(-1).values",
    # correct: samples depend on each other, so that NaN must spread
    "batch": "x - x.mean(0)",
    # correct: it refuses NaN
    "refusal": "self.linear(x) if not x.isnan().any() else [][0]",
    # correct: some elements count for nothing
    "cropped": "self.linear(x)[:, :1] + 0 * x[:, :1]",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    path = module_file(MODULE.format(doc="", body=body))
    outcome = run_one("nan-propagation", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome
    assert not outcome.findings


def test_what_the_documentation_says_of_nan_is_believed(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(doc='"""Fills missing values, given as NaN, with 0."""', body="x.nan_to_num()"))
    outcome = run_one("nan-propagation", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "skipped"


def test_comparisons_without_a_gradient_are_noted_only(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(doc="", body="(x > 0).to(x.dtype)"))
    outcome = run_one("nan-propagation", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert [finding.severity for finding in outcome.findings] == ["note"]


def test_the_other_samples_are_named(module_file: Callable[[str], str]) -> None:
    path = module_file(MODULE.format(doc="", body="torch.eye(len(x), dtype=x.dtype) @ self.linear(x)"))
    (finding,) = run_one("nan-propagation", f"{path}:Layer", inputs={"x": "float[N, 4]"}).findings
    assert "reaches the other samples" in finding.message


def test_integers_hold_no_nan() -> None:
    outcome = run_one(
        "nan-propagation",
        "torch.nn:Embedding",
        init={"num_embeddings": 9, "embedding_dim": 4},
        inputs={"input": "long[N, L] in below 9"},
    )
    assert outcome.status == "skipped"
