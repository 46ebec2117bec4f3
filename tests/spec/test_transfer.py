import pytest
import torch
from torch import nn

from verifykit.spec.transfer import Pair, Unmatched, copy_state, match_state


class Transposed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(5, 3))
        self.offset = nn.Parameter(torch.randn(3))


def test_tensors_are_paired_by_name_shape_and_transposition() -> None:
    ours, theirs = Transposed(), nn.Linear(5, 3)
    pairs = match_state(ours, theirs)
    assert {*pairs} == {Pair("kernel", "weight", True), Pair("offset", "bias", False)}
    copy_state(ours, theirs, pairs)
    assert torch.equal(theirs.weight, ours.kernel.T)
    assert torch.equal(theirs.bias, ours.offset)


@pytest.mark.parametrize("theirs", [nn.Linear(5, 4), nn.Linear(5, 3, bias=False), nn.Identity()])
def test_what_is_left_over_is_named(theirs: nn.Module) -> None:
    with pytest.raises(Unmatched, match="no counterpart by name or shape for"):
        match_state(Transposed(), theirs)


def test_two_tensors_of_one_shape_are_not_guessed() -> None:
    ours = nn.ParameterDict({"a": torch.zeros(3), "b": torch.ones(3)})
    theirs = nn.ParameterDict({"c": torch.zeros(3), "d": torch.ones(3)})
    with pytest.raises(Unmatched):
        match_state(ours, theirs)
