import random

import numpy as np
import torch

from verifykit.spec.randomness import seeded


def draws() -> tuple[float, float, float]:
    return float(torch.rand(())), float(np.random.rand()), random.random()


def test_draws_are_those_of_the_seed_and_state_is_left_as_found() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    expected = draws(), draws()
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    first = draws()
    with seeded(1):
        one = draws()
    with seeded(1):
        again = draws()
    with seeded(2):
        other = draws()
    assert (first, draws()) == expected
    assert one == again
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_state_is_restored_after_an_exception() -> None:
    state = torch.get_rng_state()
    try:
        with seeded(3):
            raise ValueError
    except ValueError:
        pass
    assert torch.equal(state, torch.get_rng_state())


def test_nothing_is_queued_for_a_cuda_that_is_not_in_use() -> None:
    before = len(torch.cuda._queued_calls)
    with seeded(3):
        pass
    assert torch.cuda.is_initialized() or len(torch.cuda._queued_calls) == before
