import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifykit.errors import SpecError
from verifykit.spec.dims import evaluate, parse_dim, symbols

NAMES = st.sampled_from(["N", "L", "heads"])
EXPRESSIONS = st.recursive(
    st.one_of(st.integers(0, 9).map(str), NAMES),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//"]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
)


@given(EXPRESSIONS, st.fixed_dictionaries({name: st.integers(1, 20) for name in ("N", "L", "heads")}))
def test_evaluates_as_python_does(text: str, sizes: dict[str, int]) -> None:
    try:
        expected = eval(text, {}, dict(sizes))
    except ZeroDivisionError:
        return
    dim = parse_dim(text)
    assert evaluate(dim, sizes) == expected
    assert set(symbols(dim)) <= sizes.keys()


def test_symbols_keep_their_order() -> None:
    assert symbols(parse_dim("b + 2*a - b")) == ["b", "a"]


@pytest.mark.parametrize(
    "text", ["", "N M", "f(N)", "N**2", "1.5", "True", "-", "N.x", "__import__('os')", "N if N else 1"]
)
def test_what_is_no_dimension(text: str) -> None:
    with pytest.raises(SpecError, match="is not a dimension"):
        parse_dim(text)
