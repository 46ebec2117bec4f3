import time

import pytest
import torch
from torch import Tensor, nn

from tests.profiling.loads import line_of, load
from verifykit.profiling.memory import measure_memory
from verifykit.profiling.where import where_of


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(32, 16))
        self.inner = nn.Sequential(nn.Linear(32, 32), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        x = self.inner(x)
        if x.max() > 1e9:  # waits
            x = x / 2
        weight = self.weight.T.contiguous()  # copies
        return (x @ weight.T).double()  # converts


def test_copies_by_line_with_their_bytes() -> None:
    found = where_of(load(Layer(), torch.randn(8, 32))).copies
    assert [(one.operator, one.location and one.location.line, one.bytes, one.calls) for one in found] == [
        ("aten::clone", line_of("copies", __file__), 32 * 16 * 4, 1),
        ("aten::_to_copy", line_of("converts", __file__), 8 * 16 * 8, 1),
    ]


def test_views_are_no_copies() -> None:
    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.T.reshape(4, -1)[1:].expand(3, 16).contiguous().float() * 2

    assert where_of(load(Views(), torch.randn(4, 4, 4).flatten(1).T)).copies == []


def test_waits_by_line() -> None:
    (found,) = where_of(load(Layer(), torch.randn(8, 32))).waits
    assert (found.what, found.calls) == ("a tensor used as a condition", 1)
    assert found.location is not None
    assert found.location.line == line_of("waits", __file__)


def test_operators_per_call() -> None:
    class Loop(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            for _ in range(7):
                x = x.sin()
            return x

    assert where_of(load(Loop(), torch.randn(3))).operators_per_call == 7


def test_submodules_by_their_paths() -> None:
    found = {one.path: one for one in where_of(load(Layer(), torch.randn(8, 32))).submodules}
    assert set(found) == {"inner", "inner.0", "inner.1"}
    assert found["inner"].kind == "Sequential"
    assert all(one.calls == 1 and 0 < one.own <= one.seconds and 0 < one.share <= 1.5 for one in found.values())


def test_a_submodule_called_twice_and_one_that_sleeps() -> None:
    class Sleeps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            time.sleep(0.01)
            return x * 2

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sleeps, self.nothing = Sleeps(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.sleeps(self.sleeps(self.nothing(x)))

    module = Outer()
    first, second = where_of(load(module, torch.randn(3))).submodules
    assert (first.path, first.calls) == ("sleeps", 2)
    assert first.seconds >= 0.02
    assert first.seconds > second.seconds
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_module_without_children_has_no_submodules() -> None:
    assert where_of(load(nn.Linear(5, 3), torch.randn(10, 5))).submodules == []


def test_a_tiny_layer_is_overhead() -> None:
    overhead = where_of(load(nn.Linear(5, 3), torch.randn(10, 5))).overhead
    assert overhead is not None
    assert overhead > 0.5


@pytest.mark.slow
def test_overhead_of_a_tiny_and_of_a_large_layer() -> None:
    tiny = where_of(load(nn.Linear(5, 3), torch.randn(10, 5))).overhead
    large = where_of(load(nn.Linear(1024, 1024), torch.randn(1024, 1024))).overhead
    assert tiny is not None
    assert large is not None
    assert tiny > 0.9
    assert large < 0.1


class Odd(nn.Module):
    """Changes its input in place, draws at random, and returns a dictionary with integers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        self.count += 1
        x.mul_(2)
        return {"y": nn.functional.dropout(x, 0.5, self.training) * 1j, "order": x.argsort()}


class Counts(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.bincount(x, minlength=4)


@pytest.mark.parametrize(
    ("module", "given"),
    [(Odd(), torch.randn(6)), (Counts(), torch.tensor([1, 2])), (nn.BatchNorm1d(3), torch.ones(1, 3))],
)
def test_odd_modules_are_measured_and_left_as_they_were(module: nn.Module, given: Tensor) -> None:
    profiled = load(module, given)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = where_of(profiled)
    assert found.lines
    assert found.operators_per_call
    assert found.overhead is not None
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not module.training


def test_a_module_that_refuses_to_be_looked_at_leaves_the_rest() -> None:
    class Fails(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            if torch.overrides._get_current_function_mode() is not None:
                raise RuntimeError("no modes, please")
            return x * 2

    found = where_of(load(Fails(), torch.randn(4)))
    assert found.lines == []
    assert found.operators_per_call == 1


@pytest.mark.slow
def test_a_small_layer_is_measured_in_a_third_of_a_second() -> None:
    profiled = load(nn.Linear(5, 3), torch.randn(10, 5))
    measure_memory(profiled)
    started = time.perf_counter()
    measure_memory(profiled)
    where_of(profiled)
    assert time.perf_counter() - started < 0.3
