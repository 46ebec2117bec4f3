from collections.abc import Callable

import pytest

from verifykit.testing import run_one

# correct: exportable with any batch size
CORRECT = {
    # correct: several outputs, one of them no tensor
    "nested": ("x", "{'a': x * 2, 'b': (x.sum(-1), None)}", {"x": "float[N, 4]"}),
    # correct: the batch size is used as a number
    "mean by hand": ("x", "x.sum(0) / x.shape[0]", {"x": "float[N, 4]"}),
    # correct: a table given by keyword
    "lookup": ("x, *, table", "table[x]", {"x": "long[N] in below 5", "table": "float[5, 3]"}),
    # correct: draws random numbers, the same ones under one seed
    "noisy": ("x", "x + torch.randn_like(x)", {"x": "float[N, 4]"}),
    # correct: no dimension is free
    "fixed": ("x", "x @ x.T", {"x": "float[3, 4]"}),
    # correct: samples cannot be told apart, so that nothing is left open
    "pairs": ("x, m", "(x @ x.T) * m", {"x": "float[N, 4]", "m": "float[N, N]"}),
}


@pytest.mark.parametrize(("arguments", "body", "inputs"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], arguments: str, body: str, inputs: dict[str, str]) -> None:
    path = module_file(f"def layer({arguments}):\n    return {body}")
    outcome = run_one("export", f"{path}:layer", inputs=inputs)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


def test_what_is_refused_is_a_warning_with_the_line(module_file: Callable[[str], str]) -> None:
    path = module_file("def layer(x):\n    y = x * 2\n    return y if y.sum() > 0 else x")  # bug: decides by the data
    (finding,) = run_one("export", f"{path}:layer", inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "warning"
    assert finding.location is not None
    assert finding.location.line == 6


def test_a_fixed_batch_is_told_from_a_refusal(module_file: Callable[[str], str]) -> None:
    path = module_file("def layer(x):\n    return torch.stack(list(x.unbind(0)))")  # bug: unrolled for one batch size
    (finding,) = run_one("export", f"{path}:layer", inputs={"x": "float[N, 4]"}).findings
    assert "for one size of N only" in finding.message


def test_nothing_is_printed(module_file: Callable[[str], str], capfd: pytest.CaptureFixture[str]) -> None:
    path = module_file("def layer(x):\n    return x if bool(x.any()) else -x")
    run_one("export", f"{path}:layer", inputs={"x": "float[N, 4]"})
    assert capfd.readouterr() == ("", "")
