import pytest

from verifykit.errors import SpecError, TargetError
from verifykit.spec.reference import resolve_reference


@pytest.mark.parametrize(
    ("text", "init", "expected", "assumed"),
    [
        ("torch.nn:Linear", {"input_dim": 5, "output_dim": 3}, {"in_features": 5, "out_features": 3}, ()),
        ("torch.nn:Linear", {"out_features": 3, "in_features": 5}, {"in_features": 5, "out_features": 3}, ()),
        ("torch.nn:Threshold", {"threshold": 0.5}, {"threshold": 0.5, "value": 0.0}, ("value",)),
        ("torch.nn:Threshold(t, -1)", {"t": 0.5}, {"threshold": 0.5, "value": -1}, ()),
        ("torch.nn:ReLU", {}, {}, ()),
        ("torch.nn:LSTM(3, 2)", {}, {"input_size": 3, "hidden_size": 2}, ()),
        ("torch.nn:GRU", {"hidden": 4, "input_size": 3}, {"input_size": 3, "hidden_size": 4}, ()),
        ("torch:relu", {"anything": 1}, {}, ()),
        ("torch.nn.functional:leaky_relu", {"negative_slope": 0.3}, {"negative_slope": 0.3}, ()),
    ],
)
def test_arguments_of_a_reference(text: str, init: dict[str, object], expected: object, assumed: object) -> None:
    reference = resolve_reference(text, init)
    assert reference.init == expected
    assert reference.assumed == assumed


@pytest.mark.parametrize(
    "text", ["torch.nn:Linear(", "torch.nn:Linear(nothing)", "torch.nn:Linear(f(1))", "torch.nn:ReLU(1, 2, 3)"]
)
def test_malformed_references(text: str) -> None:
    with pytest.raises(SpecError, match="is malformed"):
        resolve_reference(text, {})


def test_a_reference_that_is_not_there() -> None:
    with pytest.raises(TargetError, match="Did you mean 'Linear'"):
        resolve_reference("torch.nn:Linera", {})
