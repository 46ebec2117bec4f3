from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifykit.checks.registry import load_checks
from verifykit.config import Budgets, TargetConfig, parse_target_config
from verifykit.errors import ConfigError
from verifykit.experiments.behaviour.globals import put_back
from verifykit.results import CheckOutcome
from verifykit.runner import Plan, prepare, run_check

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(64, 64)
    def forward(self, x):
        {body}
"""


def outcome(target: str, shape: str = "float[N, 64]", reference: str | None = None, **budgets: Any) -> CheckOutcome:
    pinned = parse_target_config({name.replace("_", "-"): value for name, value in budgets.items()}, "here")
    check = load_checks()["performance-budget"]
    with put_back():
        subject, _ = prepare(target, Plan([check], TargetConfig({}, {"x": shape}, reference), pinned))
    return run_check(check, subject)


def layer(module_file: Callable[[str], str], body: str) -> str:
    return f"{module_file(MODULE.format(body=body))}:Layer"


LINEAR = "torch.nn:Linear(64, 64)"


def test_ten_times_the_work(module_file: Callable[[str], str]) -> None:
    # bug: row by row
    target = layer(module_file, "return torch.stack([self.inner(row) for row in x])")
    found = outcome(target, reference=LINEAR, max_slowdown=1.5)
    assert found.status == "failed"
    assert len(found.findings) == 2
    for finding, what in zip(found.findings, ("forward", "a training step"), strict=True):
        assert finding.severity == "error"
        assert finding.message.startswith(f"the time of {what} is ")
        assert finding.message.endswith(
            "times that of torch.nn:Linear(in_features=64, out_features=64), more than max-slowdown = 1.5 allows"
        )
        assert finding.evidence["from"] <= finding.evidence["measured"] <= finding.evidence["to"]
        assert finding.evidence["from"] > finding.evidence["max-slowdown"] == 1.5


def test_ten_times_the_memory(module_file: Callable[[str], str]) -> None:
    # bug: an intermediate of sixteen times the size
    target = layer(module_file, "return self.inner(x.repeat(16, 1).exp()[: len(x)])")
    found = outcome(target, reference=LINEAR, max_memory_ratio=3)
    (finding,) = found.findings
    assert "the peak memory of a step is " in finding.message
    assert finding.message.endswith("more than max-memory-ratio = 3 allows")
    assert finding.evidence["measured"] == finding.evidence["from"] == finding.evidence["to"] > 3


def test_what_keeps_within_passes(module_file: Callable[[str], str]) -> None:
    # correct: the same; far from the budget, whatever the machine does meanwhile
    found = outcome(layer(module_file, "return self.inner(x)"), reference=LINEAR, max_slowdown=20, max_memory_ratio=2)
    assert (found.status, found.findings) == ("passed", []), found.reason
    assert [one.tolerance for one in found.verified] == ["max-slowdown = 20"] * 2 + ["max-memory-ratio = 2"]
    assert all(one.worst is None for one in found.verified)


def test_what_has_no_gradient_is_held_by_its_forward(module_file: Callable[[str], str]) -> None:
    # correct: nothing to train
    found = outcome(layer(module_file, "return x.argmax(-1)"), reference="torch:argmax(dim=-1)", max_slowdown=50)
    assert (found.status, found.findings) == ("passed", []), found.reason
    assert len(found.verified) == 1


def test_the_class_has_a_budget_and_pyproject_another(module_file: Callable[[str], str]) -> None:
    source = MODULE.format(body="return self.inner(x)")
    own = '{"max-slowdown": 1.5, "max-time-exponent": {"N": 1.2}, "inputs": {"x": "float[N, 64]"}}'
    target = f"{module_file(source.replace('nn.Module):', f'nn.Module):{chr(10)}    __verifykit__ = {own}'))}:Layer"
    pinned = parse_target_config({"max-slowdown": 3}, "here")
    assert prepare(target, Plan([]))[0].budgets == Budgets(max_slowdown=1.5, max_time_exponent={"N": 1.2})
    assert prepare(target, Plan([], pinned=pinned))[0].budgets == Budgets(max_slowdown=3, max_time_exponent={"N": 1.2})


@pytest.mark.slow
def test_a_budget_within_the_interval_is_not_decided(module_file: Callable[[str], str]) -> None:
    # Twice the same module: no interval is narrower than what its place in memory makes of it, and 1 lies within.
    target = layer(module_file, "return self.inner(x)")
    found = outcome(target, reference=target, max_slowdown=1.0)
    if found.status != "inconclusive":
        pytest.skip("the machine is too busy: two of the same are told apart")
    assert found.findings == []
    assert "too near to max-slowdown = 1 to tell" in (found.reason or "")


def test_growth_beyond_its_exponent(module_file: Callable[[str], str]) -> None:
    target = layer(module_file, "return x.sin().sin().sin().sin()")
    found = outcome(target, max_time_exponent={"N": 0.3})
    (finding,) = found.findings
    assert finding.message.startswith("time grows as N^")
    assert finding.message.endswith("more than max-time-exponent = {N = 0.3} allows")


def test_without_a_budget_there_is_nothing_to_hold() -> None:
    found = outcome("torch:relu", "float[N, 3]", "torch.nn:ReLU")
    assert found.status == "skipped"
    assert "no budget is set" in (found.reason or "")


def test_without_a_reference_nothing_is_decided(module_file: Callable[[str], str]) -> None:
    found = outcome(layer(module_file, "return self.inner(x)"), max_slowdown=1.2, max_memory_ratio=2)
    assert (found.status, found.findings) == ("inconclusive", [])
    assert "max-slowdown = 1.2 needs a reference" in (found.reason or "")
    assert "max-memory-ratio = 2 needs a reference" in (found.reason or "")


def test_a_reference_that_cannot_be_fed_decides_nothing(module_file: Callable[[str], str]) -> None:
    found = outcome(layer(module_file, "return self.inner(x)"), reference="torch.nn:Linear(5, 5)", max_slowdown=1.2)
    assert (found.status, found.findings) == ("inconclusive", [])
    assert "could not be measured" in (found.reason or "")


def test_an_exponent_of_what_is_no_size(module_file: Callable[[str], str]) -> None:
    with pytest.raises(ConfigError, match=r"max-time-exponent: unknown size 'M': the free sizes are N, L\."):
        outcome(layer(module_file, "return self.inner(x)"), "float[N, L, 64]", max_time_exponent={"M": 1.1})
    with pytest.raises(ConfigError, match="none: all its sizes are fixed"):
        outcome(layer(module_file, "return self.inner(x)"), "float[2, 64]", max_time_exponent={"M": 1.1})


def test_a_breach_fails_the_build(
    module_file: Callable[[str], str], verifykit: Callable[..., Any], tmp_path: Path
) -> None:
    layer(module_file, "return torch.stack([self.inner(row) for row in x])")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.verifykit.target."audited.py:Layer"]\nmax-slowdown = 1.5\ninputs = {x = "float[N, 64]"}\n'
        f'reference = "{LINEAR}"\n'
    )
    run = verifykit("audit", "audited.py:Layer", "--select", "performance-budget", "--no-profile")
    assert run.returncode == 1
    assert "max-slowdown = 1.5" in run.stdout
