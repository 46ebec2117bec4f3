from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

Write = Callable[[str], str]

MODULE = """
class {name}(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.lstm = nn.LSTM(6, 6)
        self.plain = {norm}
    def forward(self, x{more}):
        return {body}
"""


def run(write: Write, body: str, inputs: dict[str, str], name: str = "Layer", norm: str = "None") -> CheckOutcome:
    more = "".join(f", {other}" for other in list(inputs)[1:])
    path = write(MODULE.format(name=name, body=body, more=more, norm=norm))
    return run_one("batch-independence", f"{path}:{name}", inputs=inputs)


def severities(outcome: CheckOutcome) -> list[str | None]:
    return [finding.severity for finding in outcome.findings]


BUGS = {
    # bug: rolled along the batch
    "roll": ("torch.roll(self.linear(x), 1, 0)", "float[B, 6]"),
    # bug: a whole-tensor norm
    "norm": ("x / x.norm()", "float[N, 6, H, W]"),
    # bug: flattened samples are averaged over both
    "flattened": ("(x - x.mean((0, 1))).flatten(0, 1)", "float[B, L, 6]"),
    # bug: the statistics are detached, so no gradient tells
    "detached": ("x - x.detach().mean(0)", "float[batch, 6]"),
}


@pytest.mark.parametrize(("body", "given"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Write, body: str, given: str) -> None:
    assert severities(run(module_file, body, {"x": given})) == ["error"]


def test_it_names_the_sample_and_the_line(module_file: Write) -> None:
    (finding,) = run(module_file, "x - torch.roll(x, 1, 0)", {"x": "float[B, 6]"}).findings
    assert finding.evidence["sample of the output (B)"] == 1
    assert finding.evidence["sample that was changed"] == 0
    assert finding.location is not None
    assert finding.location.line == 12


CORRECT = {
    # correct: a stable softmax by the sample's own maximum
    "stable": ("(x - x.amax(-1, keepdim=True)).exp()", "float[N, 6]"),
    # correct: samples flattened and put back
    "folded": ("self.linear(x.flatten(0, 1)).view(x.shape)", "float[N, L, 6]"),
    # correct: the samples lie second, as torch's recurrent layers have them
    "second": ("self.lstm(x)[0]", "float[L, N, 6]"),
    # correct: every sample twice, in one dimension
    "twice": ("torch.cat([x, -x])", "float[N, 6]"),
    # correct: indices of a sort, which are whole numbers
    "sorted": ("x.sort(-1).indices", "float[N, 6]"),
}


@pytest.mark.parametrize(("body", "given"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Write, body: str, given: str) -> None:
    outcome = run(module_file, body, {"x": given})
    assert outcome.status == "passed", outcome
    assert not outcome.findings


@pytest.mark.parametrize(
    ("name", "body", "given"),
    [
        ("PointNet", "x - x.mean(0)", "float[B, 6]"),
        ("Layer", "self.lstm(x)[0]", "float[N, T, 6]"),  # samples second?
        ("Layer", "x - x.mean(0)", "float[N, 6]"),  # a set?
    ],
)
def test_what_may_be_meant_is_a_warning(module_file: Write, name: str, body: str, given: str) -> None:
    (finding,) = run(module_file, body, {"x": given}, name).findings
    assert finding.severity == "warning"
    assert "It may be meant" in finding.message


def test_a_batch_normalisation_without_running_statistics_is_a_warning(module_file: Write) -> None:
    norm = "nn.BatchNorm1d(6, track_running_stats=False)"
    (finding,) = run(module_file, "self.plain(x)", {"x": "float[B, 6]"}, norm=norm).findings
    assert finding.severity == "warning"
    assert "track_running_stats=False" in finding.message


def test_a_shared_scale_that_only_huge_samples_show_is_a_warning(module_file: Write) -> None:
    outcome = run(module_file, "(x - x.max()).exp() / (x - x.max()).exp().sum(-1, keepdim=True)", {"x": "float[N, 6]"})
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert "huge" in finding.message


SKIPPED = [
    ({"x": "float[N, 6]", "edge_index": "long[2, E] in below N"}, "x.index_add(0, edge_index[1], x[edge_index[0]])"),
    ({"x": "float[N, 6]", "adj": "float[N, N]"}, "adj @ x"),
    ({"x": "float[N, 6]"}, "x.mean()"),
    ({"x": "float[N, 6]"}, "x @ x.T"),
    ({"x": "float[5, 6]"}, "x.softmax(0)"),
    ({"x": "float[T, 6]"}, "x.softmax(0)"),
]


@pytest.mark.parametrize(("inputs", "body"), SKIPPED)
def test_where_rows_are_no_samples(module_file: Write, inputs: dict[str, str], body: str) -> None:
    assert run(module_file, body, inputs).status == "skipped"


def test_a_sequence_that_the_search_fed_alone_is_given_a_batch(module_file: Write) -> None:
    body = "(x @ x.mT).softmax(-1) @ self.linear(x)"
    path = module_file(MODULE.format(name="Attention", body=body, more="", norm=None))
    assert run_one("batch-independence", f"{path}:Attention").status == "passed"
