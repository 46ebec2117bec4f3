"""Elementwise modules described: kinks and jumps found, smooth but steep functions left alone."""

import math
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.torch_modules import KNOWN
from verifykit.identify.candidate import Arrangement, Candidate, Match
from verifykit.identify.curve import LISTED, beside, describe
from verifykit.results.identity import Curve
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.reference import resolve_reference
from verifykit.spec.subject import Subject
from verifykit.targets import resolve

INF = math.inf
Module = Callable[[str], str]


def subject(target: str, init: dict[str, object] | None = None, shape: str = "float[N, 5]") -> Subject:
    return Subject(resolve(target), Spec(init or {}, (parse_input("input" if "torch.nn" in target else "x", shape),)))


class Of(nn.Module):
    """Applies a function that a test gives it by name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        return FUNCTIONS[self.name](x)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh(50x)": lambda x: torch.tanh(50 * x),
    "tanh(1e4 x)": lambda x: torch.tanh(1e4 * x),
    "softplus, beta 20": lambda x: nn.functional.softplus(x, 20),
    "softplus": nn.functional.softplus,
    "x / (|x| + 1e-6)": lambda x: x / (x.abs() + 1e-6),
    "smooth |x|": lambda x: (x * x + 1e-8).sqrt(),
    "x|x|": lambda x: x * x.abs(),
    "|x|^1.5": lambda x: x.abs() ** 1.5,
    "squared relu": lambda x: x.relu() ** 2,
    "gelu": nn.functional.gelu,
    "gelu in single precision": lambda x: nn.functional.gelu(x.float()).to(x.dtype),
    "elu": nn.functional.elu,
    "snake": lambda x: x + torch.sin(x) ** 2,
    "exp": torch.exp,
    "sin": torch.sin,
    "sinc": torch.sinc,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "logit": torch.logit,
    "1/x": lambda x: 1 / x,
    "log|x|": lambda x: x.abs().log(),
    "sqrt|x|": lambda x: x.abs().sqrt(),
    "cube root": lambda x: x.sign() * x.abs() ** (1 / 3),
    "round": torch.round,
    "floor": torch.floor,
    "sign": torch.sign,
    "step": lambda x: (x >= 0).to(x.dtype),
    "clamp": lambda x: x.clamp(-100, 100),
    "seam": lambda x: torch.where(x > 1, x + 1e-3, x),
    "two": lambda x: torch.where(x > 0.2, x, 0.0) + (x - 0.3).relu(),
    "relu in single precision": lambda x: x.float().relu().to(x.dtype),
    "minus": lambda x: torch.where(x > -1 / 3, x, 0.0),
    "constant": lambda x: torch.full_like(x, 2.0),
    "line": lambda x: 2 * x - 1,
    "identity": lambda x: x,
    "centred": lambda x: x - x.mean(),
    "centred row": lambda x: x - x.mean(-1, keepdim=True),
    "by place": lambda x: x * torch.arange(1, x.shape[-1] + 1),
    "by order": lambda x: x.sort(0).values,
    "almost elementwise": lambda x: x.relu() + 1e-6 * x.mean(),
    "by batch": lambda x: x * x.shape[0],
    "by width": lambda x: x / x.shape[-1],
    "noise": lambda x: x + torch.randn_like(x),
    "reduced": lambda x: x.sum(-1),
    "nothing finite": lambda x: x * math.nan,
}


def curve_of(name: str, shape: str = "float[N, 5]") -> Curve:
    domain = " in (0, 1)" if name == "logit" else ""
    found = describe(subject(f"{__name__}:Of", {"name": name}, shape + domain))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "name",
    [
        "tanh(50x)", "tanh(1e4 x)", "softplus, beta 20", "softplus", "x / (|x| + 1e-6)", "smooth |x|", "x|x|",
        "|x|^1.5", "squared relu", "gelu", "gelu in single precision", "elu", "snake", "exp", "sin", "sinc", "log",
        "logit",
    ],
)  # fmt: skip
def test_a_smooth_function_has_no_breaks_however_steep(name: str) -> None:
    found = curve_of(name)
    assert found.breaks == []
    assert found.more_breaks == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minus", [(-1 / 3, "jump", -1 / 3)]),
        ("sign", [(0.0, "jump", 2.0)]),
        ("step", [(0.0, "jump", 1.0)]),
        ("seam", [(1.0, "jump", 1e-3)]),
        ("two", [(0.2, "jump", 0.2), (0.3, "kink", 1.0)]),
        ("clamp", [(-100.0, "kink", 1.0), (100.0, "kink", -1.0)]),
        ("relu in single precision", [(0.0, "kink", 1.0)]),
        ("1/x", [(0.0, "pole", INF)]),
        ("log|x|", [(0.0, "pole", INF)]),
        ("sqrt|x|", [(0.0, "kink", INF)]),
        ("cube root", [(0.0, "kink", INF)]),
    ],
)
def test_breaks_are_located(name: str, expected: list[tuple[float, str, float]]) -> None:
    found = curve_of(name)
    assert [(one.at, one.kind) for one in found.breaks] == [(at, kind) for at, kind, _ in expected]
    assert [one.size for one in found.breaks] == pytest.approx([size for _, _, size in expected], rel=1e-5)


@pytest.mark.parametrize("threshold", [0.5, -1.25, 1 / 3, 2.718281828459045, 1e-3, 41.0])
def test_the_jump_of_a_threshold_is_found_to_the_last_digit(threshold: float) -> None:
    found = describe(subject("reference_modules:ThresholdReLU", {"threshold": threshold}))
    assert found is not None
    (jump,) = found.breaks
    assert (jump.at, jump.kind) == (threshold, "jump")
    assert jump.size == pytest.approx(threshold, rel=1e-12)
    assert (jump.before, jump.value) == (0.0, 0.0)
    assert found.lipschitz is None


def test_a_threshold_at_zero_is_a_kink() -> None:
    found = describe(subject("reference_modules:ThresholdReLU", {"threshold": 0.0}))
    assert found is not None
    assert [(one.at, one.kind, one.size) for one in found.breaks] == [(0.0, "kink", pytest.approx(1.0))]
    assert found.pieces == [(-INF, 0.0, "constant"), (0.0, INF, "rising")]
    assert (found.at_zero, found.at_minus_infinity, found.at_infinity) == (0.0, "0", "like x")
    assert (found.lipschitz, found.least, found.greatest) == (1.0, 0.0, None)


@pytest.mark.parametrize("generator_seed", range(20))
def test_kinks_at_any_place_are_found(generator_seed: int, module_file: Module) -> None:
    at, left, right = torch.randn(
        3, generator=torch.Generator().manual_seed(generator_seed), dtype=torch.float64
    ).tolist()
    source = f"""
class Bent(nn.Module):
    def forward(self, x):
        t = x - {at!r}
        return torch.where(t > 0, {right!r} * t, {left!r} * t) + torch.tanh(x)
"""
    found = describe(subject(f"{module_file(source)}:Bent"))
    assert found is not None
    (kink,) = found.breaks
    assert kink.kind == "kink"
    assert kink.at == pytest.approx(at, abs=1e-13 / abs(right - left))
    assert kink.size == pytest.approx(right - left, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("softplus", "0", "like x"), ("exp", "0", "inf"), ("sin", "oscillates", "oscillates"), ("sinc", "0", "0"),
        ("log", "not defined", "inf"), ("constant", "2", "2"), ("line", "like 2·x - 1", "like 2·x - 1"),
        ("squared relu", "0", "inf, like x^2"), ("x|x|", "-inf, like -|x|^2", "inf, like x^2"), ("1/x", "0", "0"),
        ("round", "like x", "like x"), ("snake", "like x", "like x"), ("logit", "not defined", "not defined"),
    ],
)  # fmt: skip
def test_limits(name: str, left: str, right: str) -> None:
    found = curve_of(name)
    assert found.at_infinity == right
    assert found.at_minus_infinity == left or left.startswith("-inf")


def test_pieces_of_a_bump_and_of_a_swing() -> None:
    gelu, sine = curve_of("gelu"), curve_of("sin")
    assert [kind for _, _, kind in gelu.pieces] == ["falling", "rising"]
    assert gelu.pieces[0][1] == pytest.approx(-0.7517915246935645, abs=1e-8)
    assert gelu.least == pytest.approx(-0.16997120747990369, rel=1e-12)
    assert len(sine.pieces) == LISTED
    assert sine.more_pieces > 0
    assert (-math.pi / 2, math.pi / 2, "rising") in [
        (pytest.approx(low, abs=1e-8), pytest.approx(high, abs=1e-8), kind) for low, high, kind in sine.pieces
    ]
    assert (sine.least, sine.greatest) == (pytest.approx(-1), pytest.approx(1))


def test_saturation_is_no_constant_piece_and_a_power_that_begins_is() -> None:
    assert curve_of("tanh(1e4 x)").pieces == [(-INF, INF, "rising")]
    assert curve_of("softplus").pieces == [(-INF, INF, "rising")]
    assert curve_of("squared relu").pieces == [(-INF, 0.0, "constant"), (0.0, INF, "rising")]


def test_a_staircase_is_one_piece_with_many_jumps() -> None:
    stairs = curve_of("round")
    assert [one.at for one in stairs.breaks] == [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]
    assert all(one.size == 1 for one in stairs.breaks)
    assert stairs.more_breaks > 20
    assert stairs.pieces == [(-INF, INF, "rising")]


@pytest.mark.parametrize(
    ("name", "domain", "least", "greatest"),
    [
        ("log", (0.0, INF), None, None),
        ("sqrt", (0.0, INF), 0.0, None),
        ("logit", (0.0, 1.0), None, None),
        ("clamp", (-INF, INF), -100.0, 100.0),
        ("1/x", (-INF, INF), None, None),
    ],
)
def test_domain_and_range(name: str, domain: tuple[float, float], least: float | None, greatest: float | None) -> None:
    found = curve_of(name)
    assert (found.domain, found.least, found.greatest) == ([domain], least, greatest)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tanh(50x)", 50.0), ("x / (|x| + 1e-6)", 1e6), ("gelu", 1.12890414), ("line", 2.0), ("constant", 0.0),
        ("sin", 1.0), ("clamp", 1.0), ("exp", None), ("x|x|", None), ("sqrt", None), ("sqrt|x|", None), ("round", None),
        ("log", None),
    ],
)  # fmt: skip
def test_lipschitz(name: str, expected: float | None) -> None:
    found = curve_of(name).lipschitz
    assert found is None if expected is None else found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "identity", "centred", "centred row", "by place", "by batch", "by order", "almost elementwise", "noise",
        "reduced", "nothing finite",
    ],
)  # fmt: skip
def test_what_is_not_elementwise_is_not_described(name: str) -> None:
    assert describe(subject(f"{__name__}:Of", {"name": name})) is None


def test_a_width_that_is_given_belongs_to_the_function() -> None:
    assert curve_of("by width").at_infinity == "like 0.2·x"


def test_of_torch_the_activations_are_described_and_nothing_else() -> None:
    described = {
        known.name
        for known in KNOWN
        if describe(
            Subject(resolve(known.target), Spec(known.init, tuple(parse_input(*i) for i in known.inputs.items())))
        )
    }
    assert described == {
        "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish",
        "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
        "Tanhshrink", "Threshold",
    }  # fmt: skip


def test_one_parameter_for_all_is_described_as_it_starts_and_one_per_channel_is_not() -> None:
    found = describe(subject("torch.nn:PReLU", {"num_parameters": 1}))
    assert found is not None
    assert found.at_minus_infinity == "like 0.25·x"
    assert describe(subject("torch.nn:PReLU", {"num_parameters": 5})) is None


@pytest.mark.parametrize("shape", ["float[]", "float[4, 5]", "float[N, C, H, W]", "float[N]", "float[N, 2*N]"])
def test_any_shape_will_do(shape: str) -> None:
    assert [one.at for one in curve_of("two", shape).breaks] == [0.2, 0.3]


def test_a_module_that_refuses_values_is_described_within_the_domain_of_its_input(module_file: Module) -> None:
    source = """
class Odds(nn.Module):
    def forward(self, p):
        if (p < 0).any() or (p >= 1).any():
            raise ValueError("p is a probability")
        return p / (1 - p)
"""
    found = describe(
        Subject(resolve(f"{module_file(source)}:Odds"), Spec({}, (parse_input("p", "float[N] in (0, 1)"),)))
    )
    assert found is not None
    assert found.domain == [(0.0, 1.0)]
    assert (found.at_minus_infinity, found.at_infinity) == ("not defined", "not defined")


def test_points_of_a_chart_are_where_things_happen() -> None:
    for name, low, high in (("two", -3, 3.5), ("tanh(50x)", -0.2, 0.2), ("clamp", -200, 200), ("log", 0, 4)):
        points = curve_of(name).points
        assert 150 < len(points) < 260
        assert points == sorted(points)
        assert low <= points[0][0] < points[-1][0] <= high
        assert all(math.isfinite(y) for _, y in points)


def test_the_nearest_is_drawn_beside_with_the_parameters_that_correspond(module_file: Module) -> None:
    source = """
class Leaky(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([0.125]))
    def forward(self, x):
        return torch.where(x > 0, x, self.slope * x)
"""
    own = subject(f"{module_file(source)}:Leaky")
    found = describe(own)
    assert found is not None
    match = Match(
        Candidate("torch.nn.PReLU()", resolve_reference("torch.nn:PReLU(1)", {}), "PReLU"),
        Arrangement(lambda state: {"weight": state["slope"]}),
        (0,),
        {"output": "output"},
    )
    both = beside(found, own, match)
    assert both.nearest == "torch.nn.PReLU()"
    assert both.nearest_points == [(x, pytest.approx(y)) for x, y in found.points]


def test_it_is_quick() -> None:
    gelu = subject("torch.nn:GELU")
    describe(gelu)
    began = time.perf_counter()
    describe(gelu)
    assert time.perf_counter() - began < 0.5
