from typing import Any

import torch
from torch import Tensor, nn

from tests.profiling.loads import line_of, load
from verifykit.profiling.saved import saved_tensors


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5))

    def forward(self, x: Tensor) -> Tensor:
        y = (x * self.weight).exp()  # exp
        return y.tanh() * y  # tanh


def test_each_storage_once_with_function_and_line() -> None:
    found = saved_tensors(load(Layer(), torch.randn(10, 5)))
    # The inputs of the product are there anyhow; tanh's result and exp's, which the second product shares, are not.
    assert sorted((saved.function, saved.location.line if saved.location else 0) for saved in found) == [
        ("ExpBackward0", line_of("exp", __file__)),
        ("TanhBackward0", line_of("tanh", __file__)),
    ]
    assert {(saved.bytes, tuple(saved.shape), saved.dtype) for saved in found} == {(200, (10, 5), "float32")}


def test_an_output_that_is_saved_counts_once() -> None:
    class Exp(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            y = x.exp()
            return y, y.view(-1)

    assert [saved.bytes for saved in saved_tensors(load(Exp(), torch.randn(10, 5)))] == [200]


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        square = x * x
        ctx.save_for_backward(square)
        ctx.aside = torch.ones(100)
        return square * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 3 * gradient * ctx.saved_tensors[0] * ctx.aside[0]


def test_custom_functions_and_what_they_keep_aside() -> None:
    class Cubes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Cube.apply(x)  # type: ignore[no-any-return]

    found = saved_tensors(load(Cubes(), torch.randn(10, 5)))
    assert [(saved.bytes, saved.function) for saved in found] == [(400, "CubeBackward"), (200, "CubeBackward")]
    assert all(saved.location for saved in found)


def test_copies_of_the_inputs_are_not_counted() -> None:
    class Doubles(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x.mul_(2)
            return x.sin()

    assert saved_tensors(load(Doubles(), torch.randn(10, 5))) == []
