from collections.abc import Callable

import pytest

from verifykit.results import CheckOutcome
from verifykit.testing import run_one

Write = Callable[[str], str]

MODULE = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.mask_token = {token}
    def attend(self, x, hidden):
        scores = x @ x.mT
        if hidden is not None:
            scores = scores.masked_fill(hidden, {fill})
        return scores.softmax(-1) @ self.linear(x)
    def forward(self, x, {argument}):
        return {body}
"""


def run(
    write: Write, body: str, argument: str, *, token: str = "None", fill: str = "-1e9", **inputs: str
) -> CheckOutcome:
    path = write(MODULE.format(body=body, argument=argument, token=token, fill=fill))
    return run_one("mask", f"{path}:Layer", inputs={"x": "float[N, L, 6]", **inputs})


OPTIONAL = "{}=None"
BUGS = {
    # bug: no effect
    "ignored": ("self.attend(x, None)", "attn_mask=None", "error", "no effect"),
    # bug: along the queries
    "queries": ("self.attend(x, mask[:, :, None])", "mask", "error", "hides: it changes"),
    # bug: the mask of the first sample for all
    "first": ("self.attend(x, padding_mask[:1, None])", "padding_mask", "error", "hides: it changes"),
    # bug: the name says that True hides, and it shows
    "inverted": ("self.attend(x, ~padding_mask[:, None])", "padding_mask", "warning", "name says"),
    # bug: one step too few
    "short": (
        "(x * (torch.arange(x.shape[1]) < lengths[:, None] - 1)[..., None]).sum(1)",
        "lengths",
        "error",
        "position 5 of sample 0",
    ),
    # bug: a mean over padding too
    "mean": ("(x * mask[..., None]).mean(1)", "mask", "warning", "divides by the full length"),
    # bug: a softmax over nothing
    "nothing": ("self.attend(x, ~mask[:, None] & (x == x).all(-1)[:, None])", "mask", "warning", "NaN"),
}


@pytest.mark.parametrize(("body", "argument", "severity", "words"), BUGS.values(), ids=BUGS.keys())
def test_bugs(module_file: Write, body: str, argument: str, severity: str, words: str) -> None:
    name = argument.partition("=")[0]
    given = {} if "=" in argument else {name: "long[N] in [1, 3]" if name == "lengths" else "bool[N, L]"}
    fill = "float('-inf')" if words == "NaN" else "-1e9"
    (finding,) = run(module_file, body, argument, fill=fill, **given).findings
    assert (finding.severity, words in finding.message) == (severity, True), finding


def test_it_names_the_position_and_the_line(module_file: Write) -> None:
    (finding,) = run(module_file, "x.mean(1) + 0 * mask.sum()", "mask", mask="bool[N, L]").findings
    assert finding.message.startswith("mask has no effect")
    (finding,) = run(module_file, "x.mean(1) + mask.sum()", "mask", mask="bool[N, L]").findings
    assert "at position 6 of sample 0" in finding.message
    assert finding.location is not None
    assert finding.location.line == 16


CORRECT = {
    # correct: True hides, False hides
    "drop": ("self.attend(x, mask[:, None])", "mask", {"mask": "bool[N, L]"}),
    "keep": ("self.attend(x, ~mask[:, None])", "mask", {"mask": "bool[N, L]"}),
    # correct: integers, added as an offset
    "added": ("(x @ x.mT + (1 - attention_mask[:, None]) * -1e9).softmax(-1) @ x", "attention_mask=None", {}),
    # correct: one mask for all samples, queries by keys
    "attention": ("self.attend(x, attn_mask)", "attn_mask=None", {}),
    # correct: what is masked is zero in the output
    "pointwise": ("self.linear(x) * mask[..., None]", "mask", {"mask": "bool[N, L]"}),
    # correct: a maximum, which a sample that is masked wholly makes infinite
    "maximum": ("x.masked_fill(~mask[..., None], float('-inf')).amax(1)", "mask", {"mask": "bool[N, L]"}),
    # correct: samples are masked, in a loss
    "samples": ("x[mask].square().sum() / mask.sum().clamp_min(1)", "mask", {"mask": "bool[N]"}),
    # correct: a mask for each feature
    "features": ("(x * mask).sum((1, 2)) / mask.sum((1, 2)).clamp_min(1)", "mask", {"mask": "bool[N, L, 6]"}),
    # correct: only the first ones are looked at
    "lengths": (
        "(x * (torch.arange(x.shape[1]) < lengths[:, None])[..., None]).sum(1)",
        "lengths",
        {"lengths": "long[N] in [1, 3]"},
    ),
}


@pytest.mark.parametrize(("body", "argument", "given"), CORRECT.values(), ids=CORRECT.keys())
def test_correct_modules(module_file: Write, body: str, argument: str, given: dict[str, str]) -> None:
    if argument == "attention_mask=None":
        body = f"x if attention_mask is None else {body}"
    outcome = run(module_file, body, argument, **given)
    assert outcome.status == "passed", outcome
    assert not outcome.findings


def test_several_masks_that_each_close_one_path() -> None:
    init = {"d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 6}
    # correct: the encoder's mask leaves the decoder's view of its output open
    outcome = run_one(
        "mask", "torch.nn:Transformer", init=init, inputs={"src": "float[L, N, 4]", "tgt": "float[S, N, 4]"}
    )
    assert outcome.status == "passed"
    assert len(outcome.verified) == 6


def test_masks_that_are_no_masks(module_file: Write) -> None:
    # correct: a feature, which the module cannot mean to hide anything
    feature = run(
        module_file, "F.conv2d(torch.cat([x, mask.to(x)], 1), x.new_ones(2, 3, 3, 3), padding=1)", "mask",
        x="float[N, 2, H, W]", mask="bool[N, 1, H, W]",
    )  # fmt: skip
    assert feature.status == "inconclusive"
    # correct: a masked model predicts what it does not see
    task = run(
        module_file, "((x.mean(1, keepdim=True) - x).square().mean(-1) * mask).sum()", "mask",
        token="nn.Parameter(torch.zeros(6))", mask="bool[N, L]",
    )  # fmt: skip
    assert task.status == "inconclusive"


def test_without_a_mask_it_is_skipped(module_file: Write) -> None:
    assert run(module_file, "x * (mask_ratio or 2)", "mask_ratio=None").status == "skipped"
