from collections.abc import Callable

import pytest

from verifykit.testing import run_one

X = {"x": "float[N, 4]"}

BUGS = {
    # bug: a mask made on the CPU
    "mask": ("x.masked_fill(torch.ones(4, 4).triu()[: len(x)] > 0, 0)", "ones() makes a tensor on the CPU"),
    # bug: values read by NumPy
    "numpy": ("x + torch.from_numpy(x.detach().numpy()).sum()", "values are handed to NumPy without .cpu()"),
    # bug: the product says nothing on the meta device
    "product": (
        "x @ torch.eye(4).to(x.dtype)",
        "eye() makes a tensor on the CPU, which meets one from there in matmul()",
    ),
    # bug: behind a decision that the meta device cannot take
    "behind a decision": ("x * torch.ones(4) if x.sum() > -1e9 else x", "ones() makes a tensor on the CPU"),
    # bug: an output on another device
    "output": ("(x, torch.arange(4))", "it returns output[1] on the CPU"),
}


@pytest.mark.parametrize(("body", "said"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Callable[[str], str], body: str, said: str) -> None:
    path = module_file(f"def layer(x):\n    return {body}")
    (finding,) = run_one("device", f"{path}:layer", inputs=X).findings
    assert said in finding.message
    assert finding.severity == "warning"


CORRECT = [
    # correct: a single number, and an index, may lie on the CPU
    "x[torch.arange(2)] * torch.tensor(2.0)",
    # correct: made where the input is, moved there, or like it
    "x + torch.ones(4, device=x.device) + torch.ones(4).to(x.device) + torch.ones_like(x) + x.new_ones(4)",
    # correct: it reads values
    "x[x > 0] if x.sum() > 0 else x.nonzero()",
    # correct: values are copied to the host first
    "x + float(x.detach().cpu().numpy().sum())",
    # correct: lengths belong on the host
    "nn.utils.rnn.pad_packed_sequence("
    "nn.utils.rnn.pack_padded_sequence(x[None], torch.tensor([len(x)]), batch_first=True))[0]",
]


@pytest.mark.parametrize("body", CORRECT)
def test_correct(module_file: Callable[[str], str], body: str) -> None:
    outcome = run_one("device", f"{module_file(f'def layer(x): return {body}')}:layer", inputs=X)
    assert (outcome.status, outcome.findings) == ("passed", []), outcome
