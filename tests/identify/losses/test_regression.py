"""Exact sums of few columns are found among many, and nothing is found where there is none."""

import torch

from verifykit.identify.losses.regression import clustered, exact_fits


def columns(rows: int, count: int, seed: int = 0) -> torch.Tensor:
    matrix = torch.randn(rows, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return matrix / matrix.norm(dim=0)


def test_the_columns_of_a_sum_are_found() -> None:
    matrix = columns(300, 120)
    for support in [(7,), (3, 90), (1, 50, 119), (0, 10, 20, 30, 40)]:
        vector = matrix[:, list(support)] @ torch.arange(1.0, 1 + len(support), dtype=torch.float64)
        assert exact_fits(matrix, vector, [1] * 120)[0].support == support


def test_a_vector_outside_is_no_sum() -> None:
    matrix = columns(300, 120)
    outside = torch.ones(300, dtype=torch.float64)
    assert exact_fits(matrix, outside, [1] * 120) == []
    assert exact_fits(matrix, matrix[:, 0] + 1e-8 * outside, [1] * 120) == []


def test_a_column_that_is_a_sum_of_others_stands_for_them() -> None:
    matrix = columns(300, 60)
    square = matrix[:, 0] - 2 * matrix[:, 1] + matrix[:, 2]
    matrix = torch.cat([matrix, (square / square.norm())[:, None]], 1)
    vector = 3 * matrix[:, 60] + matrix[:, [5, 6, 7]].sum(1)
    assert exact_fits(matrix, vector, [1] * 61)[0].support == (5, 6, 7, 60)


def test_columns_that_are_the_same_up_to_sign_are_one_group() -> None:
    matrix = columns(50, 4)
    matrix = torch.cat([matrix, -matrix[:, [2]], matrix[:, [1]] + 1e-6 * matrix[:, [0]]], 1)
    assert clustered(matrix / matrix.norm(dim=0)) == [[0], [1], [2, 4], [3], [5]]
