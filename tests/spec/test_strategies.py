import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from verifykit.spec.domain import Below, Interval, OneOf, Simplex, Sorted
from verifykit.spec.model import Spec, parse_input
from verifykit.spec.strategies import cases, refute, sizes

TEXTS = ["float[N, K]", "float[N] in (0, 1)", "float[N] in [0, inf)", "long[N] in below K", "complex[N]", "bool[N, K]",
         "float[N, K] in simplex", "float[N, K] in sorted", "float[N] in {-1, 1}", "long[N] in {-1, 3}"]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
@given(data=st.data())
def test_cases_lie_in_their_domain(text: str, data: st.DataObject) -> None:
    spec = Spec({}, (parse_input("x", text),))
    case = data.draw(cases(spec))
    (drawn,) = case.inputs
    assert tuple(drawn.shape) == spec.shape(spec.inputs[0], case.sizes)
    match spec.inputs[0].domain:
        case Interval() as interval:
            assert ((drawn > interval.low) | (interval.closed_low & (drawn == interval.low))).all()
            assert ((drawn < interval.high) | (interval.closed_high & (drawn == interval.high))).all()
        case Below():
            assert ((drawn >= 0) & (drawn < case.sizes["K"])).all()
        case Simplex():
            assert torch.allclose(drawn.sum(-1), torch.ones(drawn.shape[:-1], dtype=torch.float64))
        case Sorted():
            assert (drawn.diff() >= 0).all()
        case OneOf(values):
            assert set(drawn.tolist()) <= set(values)


def test_refutations_are_shrunk_and_repeatable() -> None:
    spec = Spec({}, (parse_input("x", "float[N, M]"),))

    def small(drawn: dict[str, int]) -> None:
        assert drawn["N"] < 5

    found = [refute(small, sizes(spec), examples=100, seed=seed) for seed in (0, 0, 1)]
    assert [refuted and refuted[0] for refuted in found] == [{"N": 5, "M": 1}] * 3


def test_what_holds_is_not_refuted(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    spec = Spec({}, (parse_input("x", "float[N]"),))
    assert refute(lambda case: None, cases(spec), examples=20, seed=0) is None
    assert capsys.readouterr() == ("", "")
