from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.rates = torch.linspace(0, 1, 3)
    def forward(self, x):
        {body}
"""
BUGS = {
    # bug: values read on the host, in each way there is
    "item": ("return x * self.scale.item()", ".item()"),
    "float": ("return x / float(x.max())", "float() of a tensor"),
    "list": ("return x * sum(x.sum(0).tolist())", ".tolist()"),
    "numpy": ("return torch.from_numpy(x.numpy() * 2)", ".numpy()"),
    # bug: conditions on what is computed
    "if": ("return x / 2 if x.abs().max() > 1 else x", "condition"),
    "max": ("return x / max(x.norm(), self.scale * 0 + 1)", "condition"),
    # bug: sizes that follow the values
    "mask": ("return x[x > 0].sum()", "boolean"),
    "nonzero": ("return x.flatten()[(x.flatten() > 0).nonzero()].sum()", "nonzero"),
    "where": ("return x[torch.where(x > 0)].sum()", "where"),
    "unique": ("return torch.unique(x).sum()", "unique"),
    "training": ("return x / (float(x.norm()) if self.training else 1)", "training mode"),
}


@pytest.mark.parametrize(("body", "message"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, message: str) -> None:
    outcome = run_one("host-sync", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert message in finding.message
    assert finding.location is not None
    assert finding.location.line == 11


CORRECT = [
    "return x / 2 if x.shape[0] > 1 and x.dim() == 2 and x.requires_grad is not None else x",  # correct: no values
    "return x * sum(self.rates.tolist())",  # correct: a constant of the host, no result of the device
    "return x * torch.rand(1).item() if self.training else x",  # correct: drawn on the host
    "return torch.where(x > 0, x, 0.0)",
    "return torch.where(x > 0, 1.0, 2.0)",
    "y = x.clone(); y[x > 0] = 0; return y",  # correct: one number fills what the mask picks
    "return x[x.argsort(0)[:, 0]]",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("host-sync", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
