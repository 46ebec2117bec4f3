from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.drop = nn.Linear(6, 6), nn.Dropout(0.2)
        self.parts = [nn.BatchNorm1d(6)]
        self.momentum = {momentum}
        self.register_buffer("running", torch.zeros(6))
        self.register_buffer("step", torch.tensor(0))
    def forward(self, x):
        x = torch.tanh(self.linear(x))
        {body}
"""
STATISTIC = """if self.training:
            batch = x.mean(0).detach()
            {update}
            return x - x.mean(0)
        return x - self.running"""
FIRST_CALL = """if self.training and not self.step:
            self.running.copy_(-x.mean(0).detach()); self.step += 1
        return self.drop(x + self.running)"""


def _update(text: str) -> str:
    return STATISTIC.format(update=text)


def _source(momentum: float, body: str) -> str:
    """The module, without the parts that ``body`` has no use for."""
    source = MODULE.format(momentum=momentum, body=body)
    if "self.parts" not in body:
        source = source.replace("[nn.BatchNorm1d(6)]", "None")
    if "self.drop" not in body and body != "return x":
        source = source.replace("nn.Dropout(0.2)", "None")
    return source


BUGS = {
    # bug: masks without their rescaling, drawn in several ways
    "mask": (0.1, "return self.drop(x) * ((torch.rand_like(x) > 0.1) if self.training else 1)", "warning"),
    "where": (0.1, "return self.drop(torch.where(torch.rand_like(x) < 0.2, 0, x) if self.training else x)", "warning"),
    "fill": (0.1, "return self.drop(x.masked_fill(torch.rand(6) < 0.2, 0) if self.training else x)", "warning"),
    # bug: noise with a mean
    "noise": (0.1, "return self.drop(x + torch.rand_like(x) if self.training else x)", "warning"),
    # bug: a scale in one mode
    "scale": (0.1, "return self.drop(x * 2 if self.training else x)", "warning"),
    # bug: the dropout is declared and not applied
    "idle": (0.1, "return x", "warning"),
    # bug: the list hides the norm from eval()
    "hidden": (0.1, "return self.drop(self.parts[0](x.float()).double())", "error"),
    # bug: forward undoes eval mode, though the rate is zero in it
    "woken": (0.1, "self.drop.train(); return F.dropout(x, 0.2, False)", "error"),
    # bug: momentum swapped, applied twice, without the decay, of another quantity
    "swapped": (0.1, _update("self.running = self.momentum * self.running + (1 - self.momentum) * batch"), "error"),
    "twice": (0.1, _update("self.running.lerp_(batch, 0.1); self.running.lerp_(batch, 0.1)"), "warning"),
    "no decay": (0.1, _update("self.running += self.momentum * batch"), "warning"),
    "other": (0.1, _update("self.running.lerp_(batch.abs() + 1, 0.1)"), "warning"),
}


@pytest.mark.parametrize(("momentum", "body", "severity"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], momentum: float, body: str, severity: str) -> None:
    outcome = run_one("train-eval", f"{module_file(_source(momentum, body))}:Layer", inputs={"x": "float[N, 6]"})
    (finding,) = outcome.findings
    assert finding.severity == severity, finding


CORRECT = {
    # correct: rescaled in training, or the classic way in eval
    "inverted": (0.1, "return self.drop(x * (torch.rand_like(x) > 0.3) / 0.7 if self.training else x)"),
    "classic": (0.1, "return self.drop(x * (torch.rand_like(x) > 0.3) if self.training else x * 0.7)"),
    "gaussian": (0.1, "return self.drop(x * (1 + 0.3 * torch.randn_like(x)) if self.training else x)"),
    # correct: both conventions of momentum, sums and counts, an initialisation at the first call
    "torch": (0.1, _update("self.running.lerp_(batch, self.momentum)")),
    "keras": (0.99, _update("self.running = self.momentum * self.running + (1 - self.momentum) * batch")),
    "cumulative": (0.1, _update("self.step += 1; self.running += (batch - self.running) / self.step")),
    "first call": (0.1, FIRST_CALL),
    # correct: another structure in training
    "more": (0.1, "return (self.drop(x), x * 3) if self.training else self.drop(x)"),
}


@pytest.mark.parametrize(("momentum", "body"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], momentum: float, body: str) -> None:
    outcome = run_one("train-eval", f"{module_file(_source(momentum, body))}:Layer", inputs={"x": "float[N, 6]"})
    assert (outcome.status, outcome.findings) == ("passed", []), outcome


@pytest.mark.parametrize(
    "body",
    ["return self.drop(x if not self.training or torch.rand(1) > 0.2 else x * 0)",
     "return self.drop(x[torch.randperm(len(x))] if self.training else x)"],
)  # fmt: skip
def test_what_cannot_be_averaged(module_file: Callable[[str], str], body: str) -> None:
    source = _source(0.1, body)
    assert run_one("train-eval", f"{module_file(source)}:Layer", inputs={"x": "float[N, 6]"}).status == "inconclusive"
