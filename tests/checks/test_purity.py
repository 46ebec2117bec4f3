from collections.abc import Callable

import pytest

from verifykit.testing import run_one

MODULE = """
class Layer(nn.Module):
    def __init__(self, inplace=False):
        super().__init__()
        self.linear, self.act, self.bias = nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Parameter(torch.zeros(4))
        self.register_buffer("seen", torch.zeros(4))
        self.register_buffer("table", torch.empty(0), persistent=False)
        self.register_buffer("calls", torch.tensor(0))
    def forward(self, x):
        {body}
"""
BUGS = {
    # bug: the caller's tensor is centred in place
    "input": ("x -= x.mean(); return x * 2", "error", "argument x in place"),
    # bug: its memory is reached through NumPy, behind autograd's back
    "numpy": ("x.numpy()[0] = 0; return x * 2", "error", "argument x in place"),
    # bug: its shape is changed
    "shape": ("x.unsqueeze_(0); return x * 2", "error", "changes the shape of its argument x"),
    # bug: nothing is changed for these values, and something will be for others
    "values": ("x.clamp_(-1e9, 1e9); return x * 2", "warning", "writes in place to its argument x"),
    # bug: a bias, zero at first, is added in place
    "bias": ("x += self.bias; return x * 2", "error", "argument x in place"),
    # bug: a leaf is made of what was none
    "requires_grad": ("x.requires_grad_(); return x * 2", "warning", "sets requires_grad of its argument x"),
    # bug: the first activation of a block works in place
    "part": ("return self.linear(self.act(x))", "warning", "ReLU has inplace=True"),
    # bug: a weight drifts with each call
    "parameter": ("self.linear.weight.data *= 0.9; return self.linear(x)", "error", "again with every call"),
    # bug: a bound is kept up in forward, and shows for large weights alone
    "bound": ("self.linear.weight.data.clamp_(-2, 2); return self.linear(x)", "warning", "within a bound"),
    # bug: statistics move in eval mode
    "buffer": ("self.seen.lerp_(x.mean(0), 0.1); return x - self.seen", "error", "and with it the result"),
    "unused buffer": ("self.seen.copy_(x.mean(0)); return x * 2", "warning", "though no result"),
}


@pytest.mark.parametrize(("body", "severity", "message"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, message: str) -> None:
    outcome = run_one("purity", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    (finding,) = outcome.findings
    assert finding.severity == severity
    assert message in finding.message
    assert finding.location is not None
    assert finding.location.line == 13


# correct: a clone, an intermediate and an output may be written to; caches and counters are notes at most
CORRECT = {
    "clone": ("x = x.clone(); x -= x.mean(); return x", 0),
    # correct: what is written to is the module's own result
    "intermediate": ("return self.act(self.linear(x)).add_(1)", 0),
    "cache": ("self.last = x.detach(); return x * 2", 0),
    "table": ("self.table = torch.arange(x.shape[0]); return x * 2", 1),
    "counter": ("self.calls += 1; return x * 2", 1),
}


@pytest.mark.parametrize(("body", "notes"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Callable[[str], str], body: str, notes: int) -> None:
    outcome = run_one("purity", f"{module_file(MODULE.format(body=body))}:Layer", inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome
    assert [finding.severity for finding in outcome.findings] == ["note"] * notes


@pytest.mark.parametrize(
    "source",
    [
        "def scale_(x):\n    return x.mul_(2)\n",  # correct: the name says so
        "class Double(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x):\n        ctx.mark_dirty(x)\n        return x.mul_(2)\n"
        "    @staticmethod\n    def backward(ctx, grad):\n        return grad * 2\n",
    ],
)
def test_declared(module_file: Callable[[str], str], source: str) -> None:
    name = source.partition("(")[0].split()[1]
    assert run_one("purity", f"{module_file(source)}:{name}", inputs={"x": "float[N, 4]"}).findings == []


def test_an_option_declares_it() -> None:
    assert run_one("purity", "torch.nn:ReLU", init={"inplace": True}, inputs={"input": "float[N]"}).findings == []
    embedding = {"num_embeddings": 5, "embedding_dim": 3, "max_norm": 0.5}
    outcome = run_one("purity", "torch.nn:Embedding", init=embedding, inputs={"input": "long[N] in below 5"})
    assert [finding.severity for finding in outcome.findings] == ["note"]
