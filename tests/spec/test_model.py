import pytest
import torch

from verifykit.errors import SpecError
from verifykit.spec.domain import Below, Interval, OneOf, Real, Simplex, Sorted, parse_domain
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.sampling import sample

TEXTS = [
    "x: float[N, 5]",
    "x: float[N, 2 * width + 1] in (0, 1)",
    "x: float[] in [-1, inf)",
    "x: long[N] in below classes",
    "x: long[N, 3] in [1, 6]",
    "x: bool[N]",
    "x: complex[N]",
    "x: float[N, K] in simplex",
    "x: float[N, K] in sorted",
    "x: float[N] in {-1, 1}",
    "x: long[N] in {0, 2}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_input_reads_and_prints_the_same(text: str) -> None:
    name, _, description = text.partition(":")
    assert str(parse_input(name, description)) == text


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("real", Real()),
        ("(0, 1]", Interval(0.0, 1.0, False, True)),
        ("simplex", Simplex()),
        ("below K", Below("K")),
    ],
)
def test_domains(text: str, domain: object) -> None:
    assert parse_domain(text) == domain


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("float N, 5", "malformed"),
        ("flot[N]", "unknown dtype 'flot'.*Did you mean 'float'?"),
        ("long[N]", "needs its range"),
        ("float[N] in (1, 0)", "empty interval"),
        ("float[N] in somewhere", "is not a domain"),
        ("float[N] in (a, b)", "is not a domain"),
        ("long[N] in {0.5, 1}", "needs its range"),
        ("long[N] in sorted", "needs its range"),
        ("float[N] in {a}", "is not a domain"),
        ("float[N] in {1, inf}", "must be finite"),
        ("float[N; 5]", "is not a dimension"),
    ],
)
def test_malformed_inputs_say_what_was_expected(description: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_input("x", description)


def test_symbols_that_name_a_constructor_argument_are_bound() -> None:
    spec = Spec({"width": 4, "flag": True}, (parse_input("x", "float[N, width, flag]"),))
    assert spec.free == ["N", "flag"]
    assert spec.shape(spec.inputs[0], {"N": 2, "flag": 9}) == (2, 4, 9)


def test_usual_sizes_keep_roles_apart() -> None:
    spec = Spec({}, (parse_input("x", "float[A, B, C, D]"),))
    assert len(set(spec.usual_sizes.values())) == 4


@pytest.mark.parametrize("text", TEXTS)
def test_samples_lie_in_their_domain(text: str) -> None:
    name, _, description = text.partition(":")
    entry = parse_input(name, description)
    sizes = {"N": 200, "width": 2, "classes": 5, "K": 4}
    shape = Spec({}, (entry,)).shape(entry, sizes)
    drawn = sample(entry, shape, sizes, torch.float64, torch.Generator().manual_seed(0))
    assert tuple(drawn.shape) == shape
    match entry.domain:
        case Interval(low=low, high=high):
            assert (drawn >= low).all()
            assert (drawn <= high).all()
        case Below():
            assert set(drawn.tolist()) == set(range(5))
        case Simplex():
            assert torch.allclose(drawn.sum(-1), torch.ones(200, dtype=torch.float64))
            assert (drawn > 0).all()
        case Sorted():
            assert (drawn.diff() > 0).all()
        case OneOf(values):
            assert set(drawn.tolist()) == set(values)
