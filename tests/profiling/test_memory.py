from collections import deque
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.profiling.loads import line_of, load
from verifykit.profiling.memory import measure_memory

FLOAT = 4


def test_peaks_of_a_linear_layer() -> None:
    n, i, o = 64, 96, 128
    found = measure_memory(load(nn.Linear(i, o), torch.randn(n, i)))
    assert found.inputs == n * i * FLOAT
    assert found.outputs == n * o * FLOAT
    assert found.parameters == (i * o + o) * FLOAT
    assert found.forward_peak == pytest.approx(n * o * FLOAT, rel=0.02)
    # The output, and the gradients of input, weight and bias.
    assert found.backward_peak == pytest.approx((n * o + n * i + i * o + o) * FLOAT, rel=0.02)
    assert found.saved == 0


class Perceptron(nn.Module):
    def __init__(self, i: int, h: int, o: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(i, h), nn.Linear(h, o)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x)))


def test_peaks_of_a_perceptron() -> None:
    n, i, h, o = 128, 64, 256, 32
    found = measure_memory(load(Perceptron(i, h, o), torch.randn(n, i)))
    # relu keeps its result, not its argument, and both are there while it runs.
    assert found.forward_peak == pytest.approx(2 * n * h * FLOAT, rel=0.02)
    assert found.saved == n * h * FLOAT
    after_second = n * o + h * o + o
    at_relu = n * h + n * h + n * h  # its result, the gradient of that, and of its argument
    at_first = n * h + n * i + h * i + h
    assert found.backward_peak == pytest.approx((after_second + max(at_relu, at_first)) * FLOAT, rel=0.02)


class Chain(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu().tanh().sigmoid()


def test_peaks_of_an_elementwise_chain() -> None:
    n = 40_000
    found = measure_memory(load(Chain(), torch.randn(n)))
    assert found.forward_peak == pytest.approx(3 * n * FLOAT, rel=0.02)  # each keeps its result
    assert found.saved == 3 * n * FLOAT
    assert found.backward_peak == pytest.approx((3 + 2) * n * FLOAT, rel=0.02)  # at tanh: gradients of both sides


class Attention(nn.Module):
    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch.softmax(q @ k.T * q.shape[-1] ** -0.5, -1) @ v


def test_peaks_of_attention() -> None:
    length, d = 256, 16
    found = measure_memory(load(Attention(), *(torch.randn(length, d) for _ in range(3))))
    square, thin = length * length * FLOAT, length * d * FLOAT
    assert found.forward_peak == pytest.approx(2 * square, rel=0.02)  # scores and weights
    assert found.saved == square
    # At the softmax: its result, gradients of it and of its argument; the output, and the gradient of v.
    assert found.backward_peak == pytest.approx(3 * square + 2 * thin, rel=0.02)
    assert found.saved_tensors[0].function == "SoftmaxBackward0"


def test_without_gradients_there_is_no_backward() -> None:
    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.bincount(x, minlength=64)

    found = measure_memory(load(Counts(), torch.arange(9)))
    assert found.backward_peak is None
    assert found.saved == 0
    assert found.forward_peak >= 64 * 8


def test_a_copy_that_is_made_of_inputs_changed_in_place_is_not_the_modules() -> None:
    class Doubles(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul_(2)

    found = measure_memory(load(Doubles(), torch.randn(10_000)))
    assert found.forward_peak < 100
    assert found.saved < 100


def test_batch_statistics_are_those_of_training_and_left_as_they_were() -> None:
    module = nn.BatchNorm1d(6)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = measure_memory(load(module, torch.randn(20, 6)))
    assert found.saved == 2 * 6 * FLOAT  # mean and inverse deviation of the batch
    assert found.buffers == 2 * 6 * FLOAT + 8
    assert not module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_where_training_mode_cannot_run_it_is_measured_in_the_mode_that_it_is_in() -> None:
    found = measure_memory(load(nn.BatchNorm1d(6), torch.randn(1, 6)))
    assert found.forward_peak >= 6 * FLOAT


class Appends(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.history: list[Any] = []

    def forward(self, x: Tensor) -> Tensor:
        y = x * 3
        self.history.append(y)  # appends
        return y + 1


class Inputs(Appends):
    def forward(self, x: Tensor) -> Tensor:
        self.history.append(x)  # inputs
        return x + 1


class Numbers(Appends):
    def forward(self, x: Tensor) -> Tensor:
        self.history.append(float(x.detach().sum()))  # numbers
        return x + 1


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.ones(5))
        self.state = torch.zeros(5)

    def forward(self, x: Tensor) -> Tensor:
        self.state = self.state * self.rate + x.mean(0)  # recurrent
        return x + self.state


class Cats(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(0, 5))

    def forward(self, x: Tensor) -> Tensor:
        self.seen = torch.cat([self.seen, x.detach()])  # cats
        return x + self.seen.mean(0)


EVERYTHING: list[Tensor] = []


class Global(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        EVERYTHING.append(y)  # global
        return y + 1


@pytest.mark.parametrize(
    ("kind", "least"), [(Appends, 200), (Inputs, 200), (Numbers, 24), (Recurrent, 20), (Cats, 200), (Global, 200)]
)
def test_what_every_call_leaves_behind(kind: type[nn.Module], least: int) -> None:
    module = kind()
    profiled = load(module, torch.randn(10, 5))
    held = [len(module.history)] if isinstance(module, Appends) else []
    found = measure_memory(profiled)
    EVERYTHING.clear()
    assert least <= found.kept_per_call <= least + 16
    assert found.kept_at is not None
    assert found.kept_at.line == line_of(kind.__name__.lower(), __file__)
    if isinstance(module, Appends):
        assert [len(module.history)] == held


class Last(Appends):
    def forward(self, x: Tensor) -> Tensor:
        self.history[:] = [x * 2]
        return x + 1


class Cache(Appends):
    def forward(self, x: Tensor) -> Tensor:
        if not self.history:
            self.history.append(torch.arange(len(x)).float()[:, None])
        return x + self.history[0]


class Window(Appends):
    def __init__(self) -> None:
        super().__init__()
        self.last: deque[Tensor] = deque(maxlen=10)

    def forward(self, x: Tensor) -> Tensor:
        self.last.append(x.detach() * 2)
        return x + sum(self.last)


class Cycle(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        holder: dict[str, Any] = {"x": x * 2}
        holder["self"] = holder
        return holder["x"] + 1


@pytest.mark.parametrize("module", [Last(), Cache(), Window(), Cycle(), nn.GRU(5, 4), nn.BatchNorm1d(5), nn.Dropout()])
def test_what_is_bounded_is_no_growth(module: nn.Module) -> None:
    found = measure_memory(load(module, torch.randn(10, 5)))
    assert (found.kept_per_call, found.kept_at) == (0.0, None)


def test_nothing_is_said_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    measure_memory(load(Last(), torch.randn(10, 5)))
    measure_memory(load(Window(), torch.randn(10, 5)))
    assert "unknown size" not in capfd.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_peaks_on_a_device() -> None:
    n, i, o = 512, 256, 1024
    found = measure_memory(load(nn.Linear(i, o).cuda(), torch.randn(n, i, device="cuda")))
    assert found.forward_peak == pytest.approx(n * o * FLOAT, rel=0.02)
    assert found.backward_peak == pytest.approx((n * o + n * i + i * o + o) * FLOAT, rel=0.02)
