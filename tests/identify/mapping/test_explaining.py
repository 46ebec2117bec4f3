"""A tensor is explained by what the target holds, by nothing else, and never by chance."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from verifykit.identify.mapping.explaining import explain
from verifykit.identify.mapping.sources import Source

SHAPES = {"w": (3, 4), "u": (4, 3), "a": (3, 2), "b": (2, 4), "g": (3, 1), "s": ()}
SOURCES = [Source(name, shape, True, True) for name, shape in SHAPES.items()]


def states(seed: int) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in SHAPES.items()}
        for _ in range(4)
    ]


MADE: dict[str, Callable[[dict[str, Tensor]], Tensor]] = {
    "w": lambda s: s["w"],
    "-w": lambda s: -s["w"],
    "1 + w": lambda s: 1 + s["w"],
    "0.408248·w": lambda s: s["w"] / 6**0.5,
    "u with its axes permuted": lambda s: s["u"].T,
    "a @ b": lambda s: s["a"] @ s["b"],
    "w + 2·a @ b": lambda s: s["w"] + 2 * s["a"] @ s["b"],
    "g·w/‖w‖": lambda s: s["g"] * s["w"] / s["w"].norm(dim=1, keepdim=True),
    "s·w": lambda s: s["s"] * s["w"],
    "softplus(w)": lambda s: torch.nn.functional.softplus(s["w"]),
    "w centred per row": lambda s: s["w"] - s["w"].mean(1, keepdim=True),
    "w divided by its spectral norm": lambda s: s["w"] / torch.linalg.matrix_norm(s["w"], 2),
    "w as shares by softmax per row": lambda s: s["w"].softmax(1),
    "w - u with its axes permuted": lambda s: s["w"] - s["u"].T,
}


@pytest.mark.parametrize("text", MADE)
def test_what_a_tensor_is_made_of_is_told(text: str) -> None:
    seen, fresh = states(0), states(1)
    found = explain([MADE[text](state) for state in seen], torch.ones(3, 4, dtype=torch.bool), seen, SOURCES)
    assert found is not None
    assert found.text == text
    assert found.is_plain == (text == "w")
    for state in fresh:
        torch.testing.assert_close(found.of(state), MADE[text](state), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda s: torch.sin(3 * s["w"]),
        lambda s: s["w"] * (1 + 1e-6 * s["w"] ** 2),
        lambda s: s["w"] + s["u"].T + s["a"] @ s["b"],
        lambda s: torch.randn(3, 4, dtype=torch.float64),
    ],
    ids=["sine", "nearly", "three", "noise"],
)
def test_what_the_vocabulary_lacks_is_not_explained(make: Callable[[dict[str, Tensor]], Tensor]) -> None:
    seen = states(0)
    assert explain([make(state) for state in seen], torch.ones(3, 4, dtype=torch.bool), seen, SOURCES) is None


def test_elements_that_no_output_shows_are_not_held_against_an_explanation() -> None:
    seen, known = states(0), torch.ones(3, 4, dtype=torch.bool)
    known[1] = False
    found = explain([torch.where(known, state["w"], 0.0) for state in seen], known, seen, SOURCES)
    assert found is not None
    assert found.text == "w"


def test_nothing_explains_a_tensor_of_which_nothing_is_known() -> None:
    seen = states(0)
    assert explain([state["w"] for state in seen], torch.zeros(3, 4, dtype=torch.bool), seen, SOURCES) is None
