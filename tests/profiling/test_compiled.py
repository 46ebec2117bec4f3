import logging

import pytest
import torch
from torch import nn

from tests.profiling.loads import load
from verifykit.profiling.compiled import time_compiled
from verifykit.profiling.timing import Effort


@pytest.mark.slow
def test_a_compiled_module_is_timed_beside_itself() -> None:
    disabled = logging.root.manager.disable
    one = load(nn.Sequential(nn.Linear(8, 8), nn.GELU()), torch.randn(4, 8))
    found = time_compiled(one, Effort(rounds=6, seconds=0.002, most=0.2))
    assert found.seconds > 0
    assert found.forward is not None
    assert found.step is not None
    assert logging.root.manager.disable == disabled
