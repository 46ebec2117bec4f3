from collections.abc import Callable

import pytest

from verifykit.testing import run_one

OPERATOR = """
@torch.library.custom_op("tested::{name}", mutates_args={mutates})
def operator(x: Tensor) -> Tensor:
    {body}
operator.register_fake(lambda x: {fake})
{autograd}
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
    def forward(self, x):
        return operator({given})
"""


def _layer(
    module_file: Callable[[str], str],
    name: str,
    body: str = "return x * 2",
    fake: str = "torch.empty_like(x)",
    autograd: str = "operator.register_autograd(lambda ctx, grad: grad * 2)",
    mutates: str = "()",
    given: str = "self.linear(x)",
) -> str:
    source = OPERATOR.format(name=name, body=body, fake=fake, autograd=autograd, mutates=mutates, given=given)
    return f"{module_file(source)}:Layer"


# correct: operators that keep their word
CORRECT = {
    "plain": {},
    # correct: declared to write to its argument, which is a copy here
    "declared": {
        "body": "x.mul_(2); return x.clone()",
        "mutates": '("x",)',
        "given": "self.linear(x).detach().clone()",
        "autograd": "",
    },
    # correct: strides of a transpose, and a fake kernel that says so
    "strided": {
        "body": "return (x * 2).T.contiguous().T",
        "fake": "x.new_empty(x.shape[::-1]).T",
    },
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_operators(module_file: Callable[[str], str], name: str) -> None:
    outcome = run_one("opcheck", _layer(module_file, name, **CORRECT[name]), inputs={"x": "float[N, 4]"})
    assert outcome.status == "passed", outcome


def test_wrong_strides_are_an_error_at_the_line_of_the_call(module_file: Callable[[str], str]) -> None:
    # bug: the kernel returns another layout than its fake promises
    path = _layer(module_file, "layout", body="return (x * 2).T.contiguous().T")
    (finding,) = run_one("opcheck", path, inputs={"x": "float[N, 4]"}).findings
    assert finding.severity == "error"
    assert finding.evidence["test"] == "test_faketensor"
    assert finding.location is not None
    assert finding.location.line == 15


def test_one_finding_an_operator(module_file: Callable[[str], str]) -> None:
    # bug: writes in secret, and its fake kernel is wrong too
    path = _layer(
        module_file, "twice_wrong", body="x.mul_(2); return x.clone()", fake="x.new_empty(3)", given="x.detach() + 0"
    )
    (finding,) = run_one("opcheck", path, inputs={"x": "float[N, 4]"}).findings
    assert "writes to an argument" in finding.message


def test_an_operator_in_backward_is_seen(module_file: Callable[[str], str]) -> None:
    path = module_file(
        '@torch.library.custom_op("tested::in_backward", mutates_args=())\n'
        "def double(g: Tensor) -> Tensor:\n"
        "    return g * 2\n"
        "double.register_fake(lambda g: g.new_empty(1))  # bug: the fake of an operator that only backward uses\n"
        "class Double(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x):\n"
        "        return x * 2\n"
        "    @staticmethod\n"
        "    def backward(ctx, g):\n"
        "        return double(g)\n"
    )
    outcome = run_one("opcheck", f"{path}:Double", inputs={"x": "float[N, 3]"})
    assert [finding.severity for finding in outcome.findings] == ["error"]


def test_modules_without_custom_operators_are_skipped() -> None:
    outcome = run_one("opcheck", "torch.nn:Linear", init={"in_features": 2, "out_features": 3})
    assert (outcome.status, outcome.reason) == ("skipped", "it uses no custom operator")
