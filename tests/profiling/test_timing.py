import time

import pytest
import torch
from torch import Tensor, nn

from tests.profiling.loads import load
from verifykit.profiling.timing import BLOCKS, LEAST_ROUNDS, Effort, compared, time_alternately

SHORT = Effort(rounds=7, seconds=0.002, most=0.5)


class Sleepy(nn.Module):
    """Takes so long, whatever the machine does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        return x * 2


def test_what_takes_three_times_as_long_is_said_to() -> None:
    loads = [load(Sleepy(0.006), torch.ones(3)), load(Sleepy(0.002), torch.ones(3))]
    own, other = time_alternately(loads, SHORT)
    ratio = compared(own.forward, other.forward)
    assert ratio is not None
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.is_measured
    assert ratio.value == pytest.approx(3, rel=0.4)
    assert other.forward.timing.median >= 0.002


def test_rounds_and_runs_are_counted() -> None:
    (times,) = time_alternately([load(nn.Linear(4, 3), torch.ones(2, 4))], SHORT)
    for rounds in (times.forward, times.backward, times.step):
        assert rounds is not None
        assert LEAST_ROUNDS <= len(rounds.fastest) <= SHORT.rounds
        assert rounds.timing.runs >= len(rounds.fastest) * BLOCKS
        assert min(rounds.fastest) <= rounds.timing.median


def test_of_slow_calls_there_are_no_fewer_rounds_than_an_interval_needs() -> None:
    slow = Effort(rounds=50, seconds=0.001, most=0.01)
    (times,) = time_alternately([load(Sleepy(0.003), torch.ones(3))], slow)
    assert len(times.forward.fastest) == LEAST_ROUNDS


def test_without_gradients_there_is_no_backward_and_no_step() -> None:
    class Counts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.bincount(x)

    (times,) = time_alternately([load(Counts(), torch.tensor([1, 2, 1]))], SHORT)
    assert times.backward is None
    assert times.step is None
    assert compared(times.step, times.step) is None


def test_steps_are_timed_in_training_mode_and_nothing_is_left_changed() -> None:
    modes: list[bool] = []

    class Notes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(3)

        def forward(self, x: Tensor) -> Tensor:
            modes.append(self.training)
            result: Tensor = self.norm(x)
            return result

    one = load(Notes(), torch.randn(4, 3))
    before = {name: t.clone() for name, t in one.module.state_dict().items()}
    time_alternately([one], SHORT)
    assert modes[0] is False
    assert modes[-1] is True
    assert not one.module.training
    assert all(torch.equal(t, before[name]) for name, t in one.module.state_dict().items())
