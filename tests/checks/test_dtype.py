from collections.abc import Callable

import pytest

from verifykit.testing import run_one

LINEAR = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        y = self.linear(x)
        return {body}
"""
X = {"x": "float[N, 4]"}

BUGS = {
    # bug: a constant of float32 promotes what is in half precision
    "made": ("y * torch.tensor([1.0, 2.0, 3.0, 4.0])", "warning", "tensor() makes a tensor in float32"),
    # bug: double precision is thrown away in the middle
    "lowered": ("F.relu(y.float()) + 1", "error", "cast to float64 and fed float64, it returns output in float32"),
    # bug: float64 out of float32, cast in so many words
    "raised": ("y.double().cumsum(-1) / 2", "warning", "double() casts to float64"),
}


@pytest.mark.parametrize(("body", "severity", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, severity: str, said: str) -> None:
    (finding,) = run_one("dtype", f"{module_file(LINEAR.format(body=body))}:Layer", inputs=X).findings
    assert (finding.severity, said in finding.message) == (severity, True), finding.message
    assert finding.location is not None
    assert finding.location.line == 11


def test_logits_handed_out_in_single_precision(module_file: Callable[[str], str]) -> None:
    outcome = run_one("dtype", f"{module_file(LINEAR.format(body='y.float()'))}:Layer", inputs=X)
    assert [finding.severity for finding in outcome.findings] == ["warning"]  # of double precision half is lost
    assert outcome.findings[0].evidence == {
        "float64 in": "float32 out", "bfloat16 in": "float32 out", "float16 in": "float32 out",
    }  # fmt: skip


CORRECT = [
    # correct: a single number promotes nothing
    "y * torch.tensor(0.5)",
    # correct: widened and cast back
    "F.softmax(y.to(torch.promote_types(y.dtype, torch.float32)), -1).to(y.dtype)",
    # correct: a decision has no type to follow
    "(y, (y > 0).float())",
    # correct: it counts
    "(y, y.argmax(-1))",
    # correct: complex numbers are its partner's
    "torch.view_as_real(torch.fft.fft(y))",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct_modules(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("dtype", f"{module_file(LINEAR.format(body=body))}:Layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", [])


def test_a_loss_may_add_up_in_more_digits(module_file: Callable[[str], str]) -> None:
    # correct: a loss in float32 of half precision
    path = module_file("def masked_loss(input, target): return ((input - target) ** 2).float().mean()")
    outcome = run_one("dtype", f"{path}:masked_loss", inputs={"input": "float[N, 4]", "target": "float[N, 4]"})
    assert {finding.severity for finding in outcome.findings} <= {"warning"}  # for double precision alone
    assert all("float64 in" in finding.evidence for finding in outcome.findings)


def test_refusing_a_type_in_its_own_words_is_no_defect(module_file: Callable[[str], str]) -> None:
    source = """
def layer(x):
    if x.dtype in (torch.float16, torch.bfloat16):
        raise TypeError("no half precision here")
    return x * 2
"""
    outcome = run_one("dtype", f"{module_file(source)}:layer", inputs=X)
    assert outcome.status == "passed"
    assert "no half precision here" in outcome.verified[0].what


def test_what_torch_has_no_kernel_for_is_no_defect() -> None:
    outcome = run_one("dtype", "torch.nn:AvgPool3d", init={"kernel_size": 2}, inputs={"input": "float[N, 2, 4, 4, 4]"})
    assert outcome.status == "passed"
    assert "torch lacks a kernel" in outcome.verified[0].what


def test_a_complex_buffer_does_not_survive_a_cast(module_file: Callable[[str], str]) -> None:
    source = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("turn", torch.polar(torch.ones(2), torch.tensor([0.1, 0.2])))
    def forward(self, x):
        return torch.view_as_real(torch.view_as_complex(x.double().unflatten(-1, (2, 2))) * self.turn).flatten(-2).to(x)
"""
    outcome = run_one("dtype", f"{module_file(source)}:Layer", inputs=X)
    assert any("the buffer turn is complex" in finding.message for finding in outcome.findings)


def test_nothing_to_follow() -> None:
    outcome = run_one("dtype", "torch.nn.functional:one_hot", inputs={"tensor": "long[N] in below 5"})
    assert outcome.status == "skipped"
