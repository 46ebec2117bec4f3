from collections.abc import Callable
from typing import Any

import pytest

from verifykit.spec.model import Spec, parse_input
from verifykit.spec.outputs import learn_outputs, predict
from verifykit.spec.subject import Subject
from verifykit.targets import resolve


def laws(target: str, init: dict[str, Any], **inputs: str) -> list[list[int | str]]:
    spec = Spec(init, tuple(parse_input(name, text) for name, text in inputs.items()))
    return [output.shape for output in learn_outputs(Subject(resolve(target), spec))]


@pytest.mark.parametrize(
    ("target", "init", "text", "expected"),
    [
        ("torch.nn:Linear", {"in_features": 6, "out_features": 4}, "float[N, L, 6]", [["N", "L", "out_features"]]),
        ("torch.nn:Flatten", {}, "float[N, A, B]", [["N", "A * B"]]),
        ("torch.nn:ZeroPad1d", {"padding": 2}, "float[N, 3, L]", [["N", 3, "L + 4"]]),
        ("torch.nn:Upsample", {"scale_factor": 2}, "float[N, 3, L]", [["N", 3, "2 * L"]]),
        ("torch.nn:MaxPool1d", {"kernel_size": 2}, "float[N, 3, L]", [["N", 3, "L // 2"]]),
    ],
)
def test_laws_of_builtin_shapes(target: str, init: dict[str, Any], text: str, expected: list[Any]) -> None:
    assert laws(target, init, input=text) == expected


def test_strided_convolution_follows_its_closed_form() -> None:
    init = {"in_channels": 2, "out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}
    spec = Spec(init, (parse_input("input", "float[N, 2, H, 11]"),))
    (output,) = learn_outputs(Subject(resolve("torch.nn:Conv2d"), Spec(init | {"padding": (1, 1)}, spec.inputs)))
    for height in range(1, 40):
        assert predict(output, {"out_channels": 4, "N": 2, "H": height}) == [2, 4, (height + 2 - 3) // 2 + 1, 6]


def test_several_outputs() -> None:
    init = {"input_size": 5, "hidden_size": 4}
    assert laws("torch.nn:GRU", init, input="float[L, N, 5]") == [["L", "N", "hidden_size"], [1, "N", "hidden_size"]]


def test_a_dimension_without_a_law_is_not_guessed(module_file: Callable[[str], str]) -> None:
    source = "def positive(x):\n    return x[x > 0]\n"
    assert laws(f"{module_file(source)}:positive", {}, x="float[N, M]") == [["?"]]
