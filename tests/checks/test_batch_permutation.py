from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

Write = Callable[[str], str]

FUNCTION = """
def measure({arguments}):
    return {body}
"""


def run(write: Write, body: str, **inputs: str) -> CheckOutcome:
    path = write(FUNCTION.format(body=body, arguments=", ".join(inputs)))
    return run_one("batch-permutation", f"{path}:measure", inputs=inputs)


BUGS = {
    # bug or time first: each sample is scaled by its place
    "index": ("x * torch.arange(x.shape[0]).view(-1, 1, 1)", "float[N, L, 6]", "warning"),
    # bug: a running sum over the batch
    "cumulative": ("x.cumsum(0).flatten(1).mean(1)", "float[B, L, 6]", "error"),
    # bug: the loss of the first sample counts twice
    "first": ("x.square().mean() + x[0].square().mean()", "float[B, 6]", "error"),
    # bug or a sequence: neighbours are compared
    "neighbours": ("(x[1:] - x[:-1]).abs().mean()", "float[N, 6]", "warning"),
}


@pytest.mark.parametrize(("body", "given", "severity"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Write, body: str, given: str, severity: str) -> None:
    outcome = run(module_file, body, x=given)
    assert [finding.severity for finding in outcome.findings] == [severity]
    assert outcome.findings[0].evidence["order of the samples"]


CORRECT = {
    # correct: pairs within the batch, all of them
    "pairs": "torch.cdist(x, x).mean()",
    # correct: statistics of the batch, which the order leaves as they are
    "normalised": "(x - x.mean(0)) / (x.std(0) + 1)",
    # correct: a table of pairs
    "table": "x @ x.T",
    # correct: the greatest of all
    "greatest": "x.amax(0)",
}


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT.keys())
def test_correct_functions(module_file: Write, body: str) -> None:
    assert run(module_file, body, x="float[N, 6]").status == "passed"


def test_labels_are_permuted_along(module_file: Write) -> None:
    # correct: in-batch negatives, matched by label
    body = "((labels[:, None] == labels) * (x @ x.T)).sum() / x.shape[0]"
    assert run(module_file, body, x="float[N, 6]", labels="long[N] in below 3").status == "passed"


def test_a_sum_over_many_samples_may_round(module_file: Write) -> None:
    # correct: only rounding differs
    assert (
        run(module_file, "(x * 1e8).sum() + (1e8 * x).exp().log1p().clamp(max=3).sum()", x="float[N]").status
        == "passed"
    )


def test_what_kind_of_output_is_unknown(module_file: Write) -> None:
    outcome = run(module_file, "x.repeat_interleave(2, 0)", x="float[N, 6]")
    assert outcome.status == "inconclusive"


def test_graphs_are_skipped(module_file: Write) -> None:
    outcome = run(
        module_file, "x[edge_index[0]] - x[edge_index[1]]", x="float[N, 6]", edge_index="long[2, E] in below N"
    )
    assert outcome.status == "skipped"
