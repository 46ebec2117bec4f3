"""State held in eccentric ways is found out, and nothing is made of what is not a rearrangement."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.identify.candidate import Arrangement
from verifykit.identify.facts import Facts, facts_of
from verifykit.identify.mapping import arrangements
from verifykit.identify.mapping.fitting import drawn
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import resolve

Build = Callable[[], nn.Module]
FILE = Path(__file__).parent / "eccentric.py"
X, IMAGE, SERIES, TOKENS = "float[N, 4]", "float[N, 2, H, W]", "float[N, T, 4]", "float[N, T, 6]"


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, bias: bool = True) -> None:
        super().__init__(6, 2, bias=bias, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=False)[0]


def lstm() -> nn.Module:
    return nn.LSTM(4, 3, batch_first=True)


def gru() -> nn.Module:
    return nn.GRUCell(4, 3)


# What is re-implemented, with what it is fed, and a phrase of each note that has to be made.
SAME: dict[str, tuple[Build, dict[str, str], tuple[str, ...]]] = {
    "InOutLinear": (lambda: nn.Linear(4, 6), {"x": X}, ("kernel is transposed",)),
    "SquareLinear": (lambda: nn.Linear(5, 5, bias=False), {"x": "float[N, 5]"}, ("kernel is transposed",)),
    "AugmentedLinear": (lambda: nn.Linear(4, 6), {"x": X}, ("theta holds weight and bias",)),
    "PerHeadLinear": (lambda: nn.Linear(4, 6, bias=False), {"x": X}, ("w is reshaped",)),
    "HeadsLastLinear": (lambda: nn.Linear(4, 6), {"x": X}, ("w has its axes permuted",)),
    "UnfoldConv": (lambda: nn.Conv2d(2, 3, 3, padding=1), {"x": IMAGE}, ("weight is reshaped",)),
    "PointwiseConv": (lambda: nn.Conv1d(2, 3, 1), {"x": "float[N, 2, L]"}, ("mix.weight is reshaped",)),
    "DepthwiseConv": (
        lambda: nn.Conv1d(3, 3, 3, padding=1, groups=3, bias=False),
        {"x": "float[N, 3, L]"},
        ("taps is reshaped",),
    ),
    "GatedCell": (
        lstm,
        {"x": SERIES},
        ("weight_ih_l0 is made of input.weight, forget.weight, cell.weight, output.weight",),
    ),
    "SeparateLSTM": (lstm, {"x": SERIES}, ("weight_ih_l0 is made of W_i, W_f, W_c, W_o", "it has no bias_hh_l0")),
    "JoinedLSTM": (lstm, {"x": SERIES}, ("gates.weight holds weight_ih_l0 and weight_hh_l0",)),
    "SeparateGRU": (
        gru,
        {"x": X, "h": "float[N, 3]"},
        ("weight_ih is made of w_xr.weight, w_xz.weight, w_xh.weight", "bias_hh is made of w_hr.bias"),
    ),
    "OneBiasRNN": (lambda: nn.RNNCell(4, 3), {"x": X, "h": "float[N, 3]"}, ("it has no bias_hh",)),
    "SquareRNN": (lambda: nn.RNNCell(3, 3), {"x": "float[N, 3]", "h": "float[N, 3]"}, ()),
    "SeparateAttention": (
        SelfAttention,
        {"x": TOKENS},
        ("in_proj_weight is made of to_q.weight, to_k.weight, to_v.weight",),
    ),
    "UnnamedAttention": (lambda: SelfAttention(False), {"x": TOKENS}, ("in_proj_weight is made of w.1, w.3, w.2",)),
    "PackedAttention": (SelfAttention, {"x": TOKENS}, ()),
    "KeyWithoutBias": (SelfAttention, {"x": TOKENS}, ("it has no k of in_proj_bias",)),
    "BiasOnlyOut": (SelfAttention, {"x": TOKENS}, ("it has no in_proj_bias",)),
    "HeadList": (
        lambda: SelfAttention(False),
        {"x": TOKENS},
        ("in_proj_weight is made of heads.0.query.weight, heads.1.query.weight",),
    ),
    "SideBySide": (lambda: nn.Linear(4, 5), {"x": X}, ("weight is made of mean.weight, scale.weight",)),
    "ChannelByChannel": (
        lambda: nn.Conv1d(3, 3, 3, padding=1, groups=3),
        {"x": "float[N, 3, L]"},
        ("bias is made of convs.0.bias, convs.1.bias, convs.2.bias",),
    ),
    "Encoder": (
        lambda: nn.TransformerEncoderLayer(6, 2, 10, 0.0, batch_first=True, norm_first=True),
        {"x": TOKENS},
        (),
    ),
    "StackedLSTM": (lambda: nn.LSTM(4, 3, 2, batch_first=True), {"x": SERIES}, ()),
    "InterleavedAttention": (SelfAttention, {"x": TOKENS}, ("qkv.weight, qkv.bias are interleaved by head",)),
    "KeyValueAttention": (SelfAttention, {"x": TOKENS}, ("in_proj_weight is made of q.weight, kv.weight",)),
    "ShapedLayerNorm": (lambda: nn.LayerNorm(5), {"x": "float[N, T, 5]"}, ("gamma, beta are reshaped",)),
    "OwnBatchNorm": (
        lambda: nn.BatchNorm2d(3),
        {"x": "float[N, 3, H, W]"},
        ("scale, shift, moving_mean, moving_var are reshaped",),
    ),
    "OneHotEmbedding": (lambda: nn.Embedding(7, 4), {"x": "long[N] in [0, 7)"}, ("a slice of table",)),
    "ZeroCentredRMSNorm": (lambda: nn.RMSNorm(5, eps=1e-6), {"x": "float[N, 5]"}, ("weight is 1 + weight",)),
    "WeightNormLinear": (lambda: nn.Linear(4, 3), {"x": X}, ("original0·",)),
    "LoRALinear": (lambda: nn.Linear(5, 4), {"x": "float[N, 5]"}, ("weight is base.weight + 0.5·lora_b @ lora_a",)),
    "LogScaleLinear": (lambda: nn.Linear(4, 3, bias=False), {"x": X}, ("exp(log_scale)·weight",)),
    "PositiveLinear": (lambda: nn.Linear(4, 3, bias=False), {"x": X}, ("softplus(raw)",)),
    "NegativePReLU": (lambda: nn.PReLU(), {"x": X}, ()),
    "TwoBiasLinear": (lambda: nn.Linear(4, 3), {"x": X}, ("bias is extra + layer.bias",)),
    "StackedLinear": (lambda: nn.Linear(4, 3), {"x": X}, ("second.weight @ first.weight",)),
}

# What packs or turns its state otherwise than torch does, or cannot reach every value of it, and what is to be said.
DEVIATING: dict[str, tuple[Build, dict[str, str], str]] = {
    "FlippedConv": (lambda: nn.Conv2d(2, 3, 3, padding=1, bias=False), {"x": IMAGE}, "the kernel is flipped"),
    "PackedLSTM": (lstm, {"x": SERIES}, "gates packed in the order i, f, o, g where torch has i, f, g, o"),
    "PackedGRU": (gru, {"x": X, "h": "float[N, 3]"}, "gates packed in the order z, r, n where torch has r, z, n"),
    "PlainKernel": (lambda: nn.Conv2d(1, 1, 3, bias=False), {"x": "float[N, 1, H, W]"}, "its weight is fixed: "),
    "StandardisedConv": (
        lambda: nn.Conv2d(2, 3, 3, padding=1, bias=False),
        {"x": IMAGE},
        "weight standardised (biased, eps 1e-05) per row, so that not every weight can be had",
    ),
    "KeyFirstAttention": (SelfAttention, {"x": TOKENS}, "projections packed in the order k, q, v"),
}


def facts(name: str, inputs: dict[str, str]) -> Facts:
    entries = tuple(parse_input(n, text) for n, text in inputs.items())
    return facts_of(Subject(resolve(f"{FILE}:{name}"), Spec({}, entries)))


def first(seen: Facts, module: nn.Module) -> Arrangement | None:
    """The first arrangement under which ``module`` gives the outputs that were seen."""
    return next((found for found in arrangements(seen, module) if gives(seen, module, found, seen.state)), None)


def gives(seen: Facts, module: nn.Module, found: Arrangement, state: dict[str, Tensor]) -> bool:
    with torch.no_grad():
        theirs = named_tensors(functional_call(module, found.arrange(state), seen.inputs))
        ours = seen.evaluate(state, seen.inputs)
    return all(
        one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=1e-11)
        for one, other in zip(ours.values(), theirs.values(), strict=True)
    )


@pytest.mark.parametrize("name", SAME)
def test_eccentric_state_is_arranged_as_torch_has_it(name: str) -> None:
    build, inputs, phrases = SAME[name]
    seen, module = facts(name, inputs), build().to(torch.float64).eval()
    found = first(seen, module)
    assert found is not None
    assert gives(seen, module, found, drawn(seen, 7))
    assert found.deviations == ()
    for phrase in phrases:
        assert any(phrase in note for note in found.notes), found.notes


@pytest.mark.parametrize("name", DEVIATING)
def test_another_packing_is_a_deviation(name: str) -> None:
    build, inputs, phrase = DEVIATING[name]
    seen, module = facts(name, inputs), build().to(torch.float64).eval()
    found = first(seen, module)
    assert found is not None
    assert gives(seen, module, found, drawn(seen, 7))
    assert phrase in " ".join(found.deviations)


@pytest.mark.parametrize("name", ["LoRALinear", "WeightNormLinear", "GatedCell", "InterleavedAttention"])
def test_gradients_flow_to_the_state_of_the_target(name: str) -> None:
    build, inputs, _ = SAME[name]
    seen, module = facts(name, inputs), build().to(torch.float64).eval()
    found = first(seen, module)
    assert found is not None
    state = {key: value.clone().requires_grad_() for key, value in seen.state.items()}
    ours = sum(value.square().sum() for value in seen.evaluate(state, seen.inputs).values())
    outputs = named_tensors(functional_call(module, found.arrange(state), seen.inputs))
    theirs = sum(value.square().sum() for value in outputs.values())
    wanted, made = (torch.autograd.grad(total, [*state.values()]) for total in (ours, theirs))
    for one, other in zip(wanted, made, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["LoRALinear", "NegativePReLU", "OneBiasRNN", "OneHotEmbedding"])
def test_single_precision_stays_single(name: str) -> None:
    build, inputs, _ = SAME[name]
    seen, module = facts(name, inputs), build().to(torch.float64).eval()
    found = first(seen, module)
    assert found is not None
    made = found.arrange({key: value.to(torch.float32) for key, value in seen.state.items()})
    assert {tensor.dtype for tensor in made.values()} == {torch.float32}


def test_nothing_is_absent_that_the_candidate_can_do_without() -> None:
    seen = facts("ScaleOnlyBatchNorm", {"x": X})
    with_bias, without = (nn.BatchNorm1d(4, bias=bias).to(torch.float64).eval() for bias in (True, False))
    assert first(seen, with_bias) is None
    assert first(seen, without) is not None


def test_weights_made_in_an_unknown_way_are_not_claimed() -> None:
    seen = facts("HiddenLinear", {"x": X})
    assert first(seen, nn.Linear(4, 3, bias=False).to(torch.float64)) is None


@pytest.mark.parametrize(
    "module", [nn.Linear(4, 6, bias=False), nn.Linear(6, 4), nn.Identity(), nn.Bilinear(4, 4, 6)], ids=str
)
def test_nothing_is_offered_that_leaves_a_parameter_over(module: nn.Module) -> None:
    assert first(facts("InOutLinear", {"x": X}), module.to(torch.float64)) is None
