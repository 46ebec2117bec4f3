from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tests.profiling.loads import line_of, load
from verifykit.profiling.where import where_of
from verifykit.results.cost import LineCost


def lines(module: nn.Module, *inputs: Tensor) -> dict[int, LineCost]:
    """The costs by the numbers of their lines in this file, 0 for none."""
    found = where_of(load(module, *inputs)).lines
    assert sum(one.share for one in found) == pytest.approx(1)
    assert all(one.share == pytest.approx(found[0].share) or one.share <= found[0].share for one in found)
    return {one.location.line if one.location else 0: one for one in found}


class Loop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        rows = []
        for row in x:
            rows.append(self.linear(row))  # loop
        out = torch.stack(rows)  # stack
        return out.relu()  # relu


def test_forward_and_backward_by_line() -> None:
    found = lines(Loop(), torch.randn(24, 16))
    loop, stack, relu = (found[line_of(text, __file__)] for text in ("loop", "stack", "relu"))
    assert loop.calls == 24
    assert (stack.calls, relu.calls) == (1, 1)
    assert loop.operators[0] in ("aten::linear", "aten::mm", "aten::add_", "aten::t", "aten::addmm", "aten::view")
    assert loop.share == max(one.share for one in found.values())
    for one in (loop, stack, relu):
        assert one.forward > 0
        assert one.backward > 0
    assert "aten::relu" in relu.operators
    assert "aten::threshold_backward" in relu.operators
    assert relu.allocated == pytest.approx(2 * 24 * 16 * 4, rel=0.05)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x  # custom forward

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        scaled = gradient * 2  # custom backward
        return scaled * x  # custom backward end


def test_lines_inside_custom_functions() -> None:
    class Squares(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Square.apply(x).sin()  # type: ignore[no-any-return]  # around

    found = lines(Squares(), torch.randn(100))
    inside = found[line_of("custom forward", __file__)]
    assert inside.forward > 0
    assert inside.backward == 0
    for text in ("custom backward", "custom backward end"):
        assert found[line_of(text, __file__)].backward > 0
        assert found[line_of(text, __file__)].forward == 0
    around = found[line_of("around", __file__)]
    assert "aten::sin" in around.operators
    assert "aten::cos" in around.operators


def test_what_is_computed_again_in_backward() -> None:
    class Again(nn.Module):
        def inner(self, x: Tensor) -> Tensor:
            return x.exp().tanh()  # again

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.inner, x, use_reentrant=False)  # type: ignore[no-any-return]

    found = lines(Again(), torch.randn(1000))[line_of("again", __file__)]
    assert found.forward > 0
    assert {"aten::tanh_backward", "aten::exp"} <= set(found.operators)


def test_a_module_of_torch_alone_has_operators_instead_of_lines() -> None:
    found = where_of(load(nn.TransformerEncoderLayer(16, 2, 32), torch.randn(5, 3, 16))).lines
    assert all(one.location is None for one in found)
    named = {one.operators[0]: one for one in found}
    assert {"aten::linear", "aten::layer_norm"} <= set(named)
    assert named["aten::linear"].calls == 4
    assert named["aten::linear"].backward > 0


def test_a_copy_made_for_a_module_that_changes_its_input_is_not_laid_to_it() -> None:
    class Doubles(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul_(2)  # doubles

    assert list(lines(Doubles(), torch.randn(1000))) == [line_of("doubles", __file__)]
