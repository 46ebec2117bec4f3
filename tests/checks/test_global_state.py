import os
import warnings
from collections.abc import Callable

import pytest
import torch

from verifykit.testing import run_one

MODULE = """
import os, random, warnings
import numpy as np
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        {constructor}
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        {body}
        return self.linear(x)
"""
BUGS = {
    # bug: seeds, of each generator, in either place
    "torch seed": ("torch.manual_seed(0)", "pass", "error", 10),
    "numpy seed": ("pass", "np.random.seed(1)", "error", 13),
    "python seed": ("random.seed(2)", "pass", "error", 10),
    # bug: settings that are not put back
    "grad mode": ("pass", "torch.set_grad_enabled(False)", "error", 13),
    "dtype": ("torch.set_default_dtype(torch.float64)", "pass", "error", 10),
    "anomaly": ("pass", "torch.autograd.set_detect_anomaly(True)", "warning", 13),
    "deterministic": ("torch.use_deterministic_algorithms(True)", "pass", "warning", 10),
    "benchmark": ("torch.backends.cudnn.benchmark = True", "pass", "warning", 10),
    "precision": ("torch.set_float32_matmul_precision('medium')", "pass", "warning", 10),
    "errors": ("pass", "np.seterr(all='ignore')", "warning", 13),
    "warnings": ("warnings.simplefilter('error')", "pass", "warning", 10),
    "environment": ("os.environ['LAYER_MODE'] = 'fast'", "pass", "warning", 10),
    # bug: eval draws what it does not use
    "draw": ("pass", "torch.rand(3)", "warning", 13),
}


@pytest.mark.parametrize(("constructor", "body", "severity", "line"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], constructor: str, body: str, severity: str, line: int) -> None:
    path = module_file(MODULE.format(constructor=constructor, body=body))
    outcome = run_one("global-state", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == severity
    assert finding.location is not None
    assert finding.location.line == line


def test_nothing_is_left_changed(module_file: Callable[[str], str]) -> None:
    state = torch.get_rng_state()
    before = len(warnings.filters)
    for constructor, body, _, _ in BUGS.values():
        path = module_file(MODULE.format(constructor=constructor, body=body))
        run_one("global-state", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
    assert not torch.is_anomaly_enabled()
    assert len(warnings.filters) == before
    assert "LAYER_MODE" not in os.environ
    assert torch.equal(state, torch.get_rng_state())


# correct: settings inside a context, own generators, draws of the initialisation, dropout in training
CORRECT = {
    "context": ("pass", "\n        with torch.no_grad(): x = x * 2"),
    "fork": ("\n        with torch.random.fork_rng(): torch.manual_seed(0); torch.rand(3)", "pass"),
    # correct: a generator of its own
    "generator": ("self.g = torch.Generator().manual_seed(0)", "x = x + torch.rand(4, generator=self.g)"),
    "dropout": ("pass", "x = F.dropout(x, 0.5, self.training)"),
}


@pytest.mark.parametrize(("constructor", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], constructor: str, body: str) -> None:
    path = module_file(MODULE.format(constructor=constructor, body=body))
    outcome = run_one("global-state", f"{path}:Layer", inputs={"x": "float[N, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
