"""Every layout makes what it says, and the plainest comes first."""

import pytest
import torch

from verifykit.identify.mapping.layouts import RESHAPED, TRANSPOSED, Shape, layouts


@pytest.mark.parametrize(
    ("have", "want", "note"),
    [
        ((4, 6), (4, 6), ""),
        ((4, 6), (6, 4), TRANSPOSED),
        ((1, 5, 1), (5,), RESHAPED),
        ((3, 2, 3, 3), (3, 18), RESHAPED),
        ((3, 18), (3, 2, 3, 3), RESHAPED),
        ((), (1,), RESHAPED),
        ((2, 2, 2, 2, 3), (2, 2, 2, 2, 3), ""),
    ],
)
def test_the_plainest_layout_comes_first(have: Shape, want: Shape, note: str) -> None:
    first, *others = layouts(have, want)
    assert first.note == note
    assert all(first.cost <= other.cost for other in others)


@pytest.mark.parametrize(
    ("have", "want"), [((4, 2, 3), (6, 4)), ((18, 3), (3, 2, 3, 3)), ((3, 3), (3, 3)), ((2, 3, 5), (5, 2, 3))]
)
def test_layouts_keep_all_elements_and_are_all_different(have: Shape, want: Shape) -> None:
    tensor = torch.arange(torch.Size(have).numel()).reshape(have)
    made = [layout.apply(tensor) for layout in layouts(have, want)]
    assert made
    assert all(one.shape == want and one.unique().numel() == tensor.numel() for one in made)
    assert len({tuple(one.flatten().tolist()) for one in made}) == len(made)


@pytest.mark.parametrize(("have", "want"), [((4, 6), (4, 5)), ((6,), (2, 2)), ((4, 6), (8, 3))])
def test_what_does_not_fit_has_no_layout(have: Shape, want: Shape) -> None:
    assert layouts(have, want) == ()
