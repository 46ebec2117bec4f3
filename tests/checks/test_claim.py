from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LOSSES = '"prediction": "float[N, 4]", "target": "float[N, 4]"'

# What is planted, where it is not in the corpus: the class, and words of the message.
BUGS = {
    # bug: twice the Huber loss
    "doubled": (
        "class HuberLoss(nn.Module):\n"
        f"    __verifykit__ = {{'inputs': {{{LOSSES}}}}}\n"
        "    def forward(self, prediction, target):\n"
        "        d = (prediction - target).abs()\n"
        "        return torch.where(d < 1, d**2, 2 * d - 1).mean()\n",
        "HuberLoss",
        "twice the Huber loss",
    ),
    # bug: the sign of the quantile's error is turned
    "quantile": (
        "class QuantileLoss(nn.Module):\n"
        f"    __verifykit__ = {{'inputs': {{{LOSSES}}}}}\n"
        "    def __init__(self, quantile=0.9):\n"
        "        super().__init__()\n"
        "        self.quantile = quantile\n"
        "    def forward(self, prediction, target):\n"
        "        e = prediction - target\n"
        "        return torch.maximum(self.quantile * e, (self.quantile - 1) * e).mean()\n",
        "QuantileLoss",
        "too high instead of too low",
    ),
    # bug: it is no variant that anybody knows, and differs all the same
    "nameless": (
        "class Mish(nn.Module):\n"
        "    __verifykit__ = {'inputs': {'x': 'float[N, 4]'}}\n"
        "    def forward(self, x):\n"
        "        return x * torch.tanh(nn.functional.softplus(1.1 * x))\n",
        "Mish",
        "differs from its definition",
    ),
}


@pytest.mark.parametrize(("source", "name", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], source: str, name: str, said: str) -> None:
    outcome = run_one("claim", f"{module_file(source)}:{name}")
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert said in finding.message
    assert finding.evidence["actual"] != finding.evidence["reference"]


# correct: torch's own, which define what is meant
BUILT_IN = [
    "AvgPool2d", "BCELoss", "BCEWithLogitsLoss", "BatchNorm2d", "CELU", "Conv1d", "Conv2d", "CosineEmbeddingLoss",
    "CosineSimilarity", "CrossEntropyLoss", "ELU", "GELU", "GLU", "GRU", "GRUCell", "GaussianNLLLoss", "GroupNorm",
    "Hardswish", "HuberLoss", "KLDivLoss", "LSTM", "LSTMCell", "LayerNorm", "LeakyReLU", "LogSoftmax", "MSELoss",
    "MarginRankingLoss", "MaxPool2d", "Mish", "MultiheadAttention", "NLLLoss", "PairwiseDistance", "PoissonNLLLoss",
        "RMSNorm",
    "RNN", "SELU", "SiLU", "SmoothL1Loss", "Softmax", "Softplus", "TripletMarginLoss",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BUILT_IN)
def test_built_ins_are_what_they_say(name: str) -> None:
    outcome = run_one("claim", f"torch.nn:{name}")
    assert outcome.status == "passed", outcome
    assert not outcome.findings
    assert outcome.verified


# correct: names and docstrings that say that it is something else, or nothing
@pytest.mark.parametrize(
    ("name", "docstring"),
    [
        ("AdaptiveLayerNorm", ""),
        ("LinearAttention", ""),
        ("Block", "A block that uses layer normalisation."),
        ("Block", "Layer normalisation without its mean."),
        ("Block", "Like GELU, but clipped."),
        ("Block", "Layer normalisation followed by a gate."),
    ],
)
def test_what_claims_nothing_is_skipped(module_file: Callable[[str], str], name: str, docstring: str) -> None:
    source = (
        f"class {name}(nn.Module):\n"
        f'    """{docstring}"""\n'
        "    __verifykit__ = {'inputs': {'x': 'float[N, 4]'}}\n"
        "    def forward(self, x):\n"
        "        return x * 2\n"
    )
    assert run_one("claim", f"{module_file(source)}:{name}").status == "skipped"


def test_what_takes_something_else_cannot_be_compared(module_file: Callable[[str], str]) -> None:
    source = (
        "class FocalLoss(nn.Module):\n"
        "    __verifykit__ = {'inputs': {'x': 'float[N, 4]'}}\n"
        "    def forward(self, x):\n"
        "        return x.square().mean()\n"
    )
    outcome = run_one("claim", f"{module_file(source)}:FocalLoss")
    assert outcome.status == "inconclusive"
    assert "cannot be compared" in (outcome.reason or "")


def test_a_usual_variant_is_a_note(module_file: Callable[[str], str]) -> None:
    source = (
        "class GELU(nn.Module):\n"
        "    __verifykit__ = {'inputs': {'x': 'float[N, 4]'}}\n"
        "    def forward(self, x):\n"
        "        return nn.functional.gelu(x, approximate='tanh')\n"
    )
    outcome = run_one("claim", f"{module_file(source)}:GELU")
    assert [finding.severity for finding in outcome.findings] == ["note"]
    assert "tanh approximation" in outcome.findings[0].message


# bug: a factor, a gradient that is cut, what is small left out, a divergence the other way round
@pytest.mark.parametrize(
    ("name", "body", "severity", "said"),
    [
        ("L1Loss", "3.7 * (prediction - target).abs().mean()", "warning", "it is 3.7 times that"),
        ("MSELoss", "((target - prediction).detach() * (target - prediction)).mean()", "warning", "its gradient of"),
        ("L1Loss", "nn.functional.threshold((prediction - target).abs(), 2e-3, 0.0).mean()", "note", "gives 0.0"),
        ("KLDivLoss", "(prediction.exp() * (prediction - target)).sum(-1).mean()", "warning", "instead of KL"),
    ],
)
def test_what_else_is_told(module_file: Callable[[str], str], name: str, body: str, severity: str, said: str) -> None:
    source = (
        f"class {name}(nn.Module):\n"
        f"    __verifykit__ = {{'inputs': {{{LOSSES}}}}}\n"
        "    def forward(self, prediction, target):\n"
        f"        return {body}\n"
    )
    (finding,) = run_one("claim", f"{module_file(source)}:{name}").findings
    assert finding.severity == severity
    assert said in finding.message


def test_state_that_is_kept_in_another_order_is_a_note(module_file: Callable[[str], str]) -> None:
    source = (
        "class Conv1d(nn.Module):\n"
        "    __verifykit__ = {'inputs': {'x': 'float[N, 2, T]'}}\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.weight = nn.Parameter(torch.randn(3, 2, 3))\n"
        "    def forward(self, x):\n"
        "        return nn.functional.conv1d(x, self.weight.flip(-1))\n"
    )
    (finding,) = run_one("claim", f"{module_file(source)}:Conv1d").findings
    assert finding.severity == "note"
    assert "flipped" in finding.message


def test_labels_between_0_and_1_are_not_what_it_is_compared_at(module_file: Callable[[str], str]) -> None:
    source = (
        "class FocalLoss(nn.Module):\n"
        "    __verifykit__ = {'inputs': {'logits': 'float[N, 3]', 'target': 'float[N, 3] in [0, 1]'}}\n"
        "    def forward(self, logits, target):\n"
        "        p = torch.where(target > 0.5, logits, -logits).sigmoid()\n"
        "        return (-((1 - p) ** 2) * p.log()).mean()\n"
    )
    outcome = run_one("claim", f"{module_file(source)}:FocalLoss")
    assert outcome.status == "passed", outcome
    assert outcome.verified
