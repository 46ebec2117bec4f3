from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

Write = Callable[[str], str]

MODULE = '''
class {name}(nn.Module):
    """{doc}"""
    def __init__(self, dim=6, causal={causal}):
        super().__init__()
        self.causal = causal
        self.conv = nn.Conv1d(dim, dim, 3)
        self.rnn = nn.GRU(dim, dim, batch_first=True, bidirectional={both})
    def forward(self, x):
        n, t, d = x.shape
        return {body}
'''


def run(
    write: Write,
    body: str,
    *,
    name: str = "Layer",
    doc: str = "",
    causal: bool = True,
    both: bool = False,
    given: str = "float[N, T, 6]",
) -> CheckOutcome:
    path = write(MODULE.format(name=name, doc=doc, causal=causal, both=both, body=body))
    return run_one("causality", f"{path}:{name}", inputs={"x": given})


CONV = "self.conv(F.pad(x.mT, {pad})).mT"


def test_bugs(module_file: Write) -> None:
    # bug: a look-ahead of one
    (finding,) = run(module_file, CONV.format(pad=(1, 1))).findings
    assert finding.severity == "error"
    assert "1 step ahead" in finding.message
    assert finding.location is not None
    assert finding.location.line == 14
    # bug: a mask of the wrong orientation
    (finding,) = run(module_file, "torch.ones(t, t, dtype=x.dtype).triu() @ x").findings
    assert "direction is reversed" in finding.message
    # bug: a bidirectional recurrent layer
    (finding,) = run(module_file, "self.rnn(x)[0]", both=True).findings
    assert "end of the sequence" in finding.message


def test_a_gradient_that_strays(module_file: Write) -> None:
    path = module_file("""
class Shift(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.cumsum(1)
    @staticmethod
    def backward(ctx, g):
        return g.cumsum(1)
class CausalSum(nn.Module):
    def forward(self, x):
        return Shift.apply(x)
""")
    # bug: the backward of a running sum runs the wrong way
    (finding,) = run_one("causality", f"{path}:CausalSum", inputs={"x": "float[N, T, 6]"}).findings
    assert "gradient" in finding.message


@pytest.mark.parametrize(
    "body",
    [
        CONV.format(pad=(2, 0)),  # correct: padded before
        "self.rnn(x)[0]",  # correct: a recurrent layer
        "x.cumsum(1) / torch.arange(1, t + 1)[:, None]",  # correct: a running mean
        "torch.ones(t, t, dtype=x.dtype).tril(-1) @ x",  # correct: the past only, which is a note
        "x + F.pad(x, (0, 0, 9, 0))[:, :t]",  # correct: what it sees of the past lies far back
    ],
)
def test_correct_modules(module_file: Write, body: str) -> None:
    outcome = run(module_file, body)
    assert outcome.status == "passed", outcome
    assert all(finding.severity == "note" for finding in outcome.findings)


def test_one_that_sees_no_past_is_a_warning(module_file: Write) -> None:
    (finding,) = run(module_file, "x * 2").findings
    assert finding.severity == "warning"
    assert "no past" in finding.message


@pytest.mark.parametrize(
    ("name", "doc"),
    [
        ("Layer", "A block that is causal if asked."),
        ("Layer", "A non-causal block."),
        ("CausalEffect", ""),
        ("Layer", ""),
    ],
)
def test_without_a_claim_it_is_skipped(module_file: Write, name: str, doc: str) -> None:
    path = module_file(MODULE.format(name=name, doc=doc, causal=False, both=True, body="self.rnn(x)[0]"))
    assert run_one("causality", f"{path}:{name}", inputs={"x": "float[N, T, 6]"}).status == "skipped"


@pytest.mark.parametrize(
    ("name", "doc"), [("CausalBlock", ""), ("Layer", "An autoregressive block."), ("ARDecoderOnly", "")]
)
def test_a_claim_by_name_or_docstring(module_file: Write, name: str, doc: str) -> None:
    source = MODULE.format(name=name, doc=doc, causal=True, both=True, body="self.rnn(x)[0]")
    path = module_file(
        source.replace("causal=True", "other=True").replace("= causal", "= other").replace("self.causal", "_")
    )
    assert run_one("causality", f"{path}:{name}", inputs={"x": "float[N, T, 6]"}).findings[0].severity == "error"


def test_a_flag_of_the_forward_is_set(module_file: Write) -> None:
    path = module_file("""
def attention(q, k, v, is_causal=False):
    return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
class Ignores(nn.Module):
    def forward(self, q, k, v, is_causal=False):
        return F.scaled_dot_product_attention(q, k, v)
class Hands(nn.Module):
    def forward(self, q, k, v, is_causal=False):
        return attention(q, k, v, is_causal)
""")
    inputs = {"q": "float[N, L, 6]", "k": "float[N, S, 6]", "v": "float[N, S, 6]"}
    # bug: the flag is not handed on
    assert run_one("causality", f"{path}:Ignores", inputs=inputs).findings[0].severity == "error"
    # correct: it is
    assert run_one("causality", f"{path}:Hands", inputs=inputs).status == "passed"


def test_no_dimension_could_be_time(module_file: Write) -> None:
    assert run(module_file, "x.mean((0, 1, 2))").status == "skipped"


def test_fixed_sizes(module_file: Write) -> None:
    # correct: no size is free
    assert run(module_file, CONV.format(pad=(2, 0)), given="float[2, 9, 6]").status == "passed"
    # bug: no size is free
    (finding,) = run(module_file, CONV.format(pad=(1, 1)), given="float[2, 9, 6]").findings
    assert finding.severity == "warning"
