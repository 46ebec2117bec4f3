"""The engine beside torch's fast mode, in one group per function: ``make bench`` shows the ratio."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

import verifykit
from tests.benchmarks.cost import LARGE, SMALL, as_function


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("check", ["torch fast mode", "verifykit"])
def test_cost(benchmark: Callable[..., Any], name: str, check: str) -> None:
    torch.manual_seed(0)
    function, leaves = as_function(*LARGE[name]())
    benchmark.group = name  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if check == "verifykit":
            assert benchmark(verifykit.gradcheck, function, leaves, probes=1)
        else:
            assert benchmark(torch.autograd.gradcheck, function, leaves, fast_mode=True)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("check", ["torch slow mode", "verifykit"])
def test_cost_of_whole_jacobians(benchmark: Callable[..., Any], name: str, check: str) -> None:
    torch.manual_seed(0)
    function, leaves = as_function(*SMALL[name]())
    benchmark.group = f"whole Jacobian of {name}"  # type: ignore[attr-defined]
    run = verifykit.gradcheck if check == "verifykit" else torch.autograd.gradcheck
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert benchmark(run, function, leaves, fast_mode=False)
