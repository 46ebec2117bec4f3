"""Process-wide settings that a module may change behind its user's back: reading them, and putting them back."""

import os
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from verifykit.results import Severity


@dataclass(frozen=True)
class Setting:
    """One setting: how to read it, how to put it back, how bad it is to leave it changed, and what that means."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    severity: Severity
    meaning: str


@dataclass(frozen=True)
class Generator:
    """One global random generator: its state as something that can be compared."""

    name: str
    state: Callable[[], Any]


GENERATORS = (
    Generator("torch", lambda: bytes(torch.get_rng_state().numpy())),
    Generator("NumPy", lambda: str(np.random.get_state()[1].tobytes()) + str(np.random.get_state()[2:])),  # type: ignore[index]
    Generator("Python", random.getstate),
)

_cudnn, _matmul = torch.backends.cudnn, torch.backends.cuda.matmul


def _attribute(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


def _restore_environment(value: dict[str, str]) -> None:
    for name in set(os.environ) - set(value):
        del os.environ[name]
    os.environ.update(value)


def _restore_filters(value: list[Any]) -> None:
    warnings.filters[:] = value  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


SETTINGS = (
    Setting("grad mode", torch.is_grad_enabled, torch.set_grad_enabled, "error",
            "whatever runs afterwards is recorded, or not, against its caller's wish"),
    Setting("default dtype", torch.get_default_dtype, torch.set_default_dtype, "error",
            "tensors made afterwards anywhere have another precision"),
    Setting("default device", torch.get_default_device, torch.set_default_device, "error",
            "tensors made afterwards anywhere live elsewhere"),
    Setting("anomaly mode", torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly, "warning",
            "every backward afterwards is several times slower"),
    Setting("autocast on the CPU", lambda: torch.is_autocast_enabled("cpu"),
            lambda value: torch.set_autocast_enabled("cpu", value), "error",
            "what runs afterwards has another precision"),
    Setting("threads", torch.get_num_threads, torch.set_num_threads, "warning",
            "the speed of everything else changes"),
    Setting("deterministic algorithms",
            lambda: (torch.are_deterministic_algorithms_enabled(),
                     torch.is_deterministic_algorithms_warn_only_enabled()),
            _deterministic, "warning", "other modules become slower, raise, or stop being repeatable"),
    Setting("float32 matmul precision", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision,
            "warning", "every float32 product afterwards is computed in another precision"),
    Setting("cudnn.enabled", *_attribute(_cudnn, "enabled"), "warning", "other modules become slower"),
    Setting("cudnn.benchmark", *_attribute(_cudnn, "benchmark"), "warning",
            "other convolutions may pick other algorithms from run to run"),
    Setting("cudnn.deterministic", *_attribute(_cudnn, "deterministic"), "warning",
            "other convolutions become slower, or stop being repeatable"),
    Setting("cudnn.allow_tf32", *_attribute(_cudnn, "allow_tf32"), "warning",
            "other convolutions are computed in another precision"),
    Setting("cuda.matmul.allow_tf32", *_attribute(_matmul, "allow_tf32"), "warning",
            "every float32 product afterwards is computed in another precision"),
    Setting("NumPy's handling of floating-point errors", np.geterr, lambda value: np.seterr(**value), "warning",
            "overflow and division by zero elsewhere are silenced, or raise"),
    Setting("warning filters", lambda: list(warnings.filters), _restore_filters, "warning",
            "warnings of the rest of the program appear or vanish"),
    Setting("os.environ", lambda: dict(os.environ), _restore_environment, "warning",
            "other libraries and child processes see other settings"),
)  # fmt: skip


def current() -> dict[str, Any]:
    """Return every setting as it stands."""
    return {setting.name: setting.read() for setting in SETTINGS}


@contextmanager
def put_back() -> Iterator[dict[str, Any]]:
    """Run the body, given the settings as they are, and put back what it changes."""
    before = current()
    try:
        yield before
    finally:
        for setting in SETTINGS:
            if setting.read() != before[setting.name]:
                setting.write(before[setting.name])
