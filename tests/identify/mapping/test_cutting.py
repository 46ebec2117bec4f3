"""A tensor is cut into pieces that are wanted, in the order in which they lie in it."""

import torch

from verifykit.identify.mapping.cutting import Wanted, cuts
from verifykit.identify.mapping.slots import packed_state


def wanted(module: torch.nn.Module) -> Wanted:
    return Wanted.of(slot for packed in packed_state(module) for slot in packed.slots)


def test_a_matrix_with_the_bias_as_a_column_is_cut_in_two() -> None:
    theta = torch.arange(30).reshape(6, 5)
    found = [
        [piece.take(theta).tolist() for piece in cut.pieces] for cut in cuts((6, 5), wanted(torch.nn.Linear(4, 6)))
    ]
    assert [theta[:, :4].tolist(), theta[:, 4].tolist()] in found
    assert [theta[:, 0].tolist(), theta[:, 1:].tolist()] in found


def test_a_packed_tensor_falls_into_its_parts() -> None:
    first, *_ = cuts((12, 4), wanted(torch.nn.LSTM(4, 3)))
    packed = torch.arange(48).reshape(12, 4)
    assert [piece.take(packed).tolist() for piece in first.pieces] == [part.tolist() for part in packed.chunk(4)]
    assert [(piece.index, piece.count) for piece in first.pieces] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_a_matrix_for_input_and_hidden_state_falls_into_both() -> None:
    joined = torch.arange(84).reshape(12, 7)
    found = [
        [
            torch.cat([piece.take(joined) for piece in cut.pieces[:4]]),
            torch.cat([p.take(joined) for p in cut.pieces[4:]]),
        ]
        for cut in cuts((12, 7), wanted(torch.nn.LSTM(4, 3)))
        if [piece.count for piece in cut.pieces] == [4] * 8
    ]
    assert any(torch.equal(x, joined[:, :4]) and torch.equal(h, joined[:, 4:]) for x, h in found)
    assert any(torch.equal(h, joined[:, :3]) and torch.equal(x, joined[:, 3:]) for h, x in found)


def test_rows_of_a_matrix_are_packed_vectors() -> None:
    both = torch.arange(18).reshape(2, 9)
    found = [cut.pieces for cut in cuts((2, 9), wanted(torch.nn.GRUCell(4, 3)))]
    pieces = next(pieces for pieces in found if [piece.count for piece in pieces] == [3] * 6)
    assert [piece.take(both).tolist() for piece in pieces] == [part.tolist() for part in both.flatten().chunk(6)]
    assert [piece.pack for piece in pieces] == [0, 0, 0, 1, 1, 1]


def test_what_does_not_come_out_even_is_not_cut() -> None:
    assert cuts((5, 7), wanted(torch.nn.Linear(4, 6))) == []
