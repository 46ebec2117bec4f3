"""One attempt to call a module, in single precision, bounded in size and time, that leaves nothing behind."""

import contextlib
import io
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.spec.effort import effort
from verifykit.spec.model import InputSpec, Spec
from verifykit.spec.randomness import seeded
from verifykit.spec.sampling import sample
from verifykit.spec.subject import named_tensors

# Bytes of one input in double precision, and seconds of one call.
BYTES, SECONDS = 64 * 2**20, 2.0

Entries = tuple[InputSpec, ...]


@dataclass(frozen=True)
class Outcome:
    """What a call gave: the tensors, by where they stand in the output, or what it raised. ``lenient`` is content with
    any tensor.
    """

    outputs: dict[str, Tensor]
    error: Exception | None = None
    lenient: bool = False

    @property
    def works(self) -> bool:
        """Whether there is an output that is a tensor of real or complex numbers, all of them finite."""
        return self.ends and (
            self.lenient or any(t.is_floating_point() or t.is_complex() for t in self.outputs.values())
        )

    @property
    def ends(self) -> bool:
        """Whether there is an output, all finite where that can be asked."""
        return bool(self.outputs) and all(bool(t.isfinite().all()) for t in self.outputs.values())


@dataclass(frozen=True)
class Caller:
    """Calls a module with inputs drawn from entries, by name; constructor arguments may stand in their shapes.

    ``fresh`` makes another of a module that takes its sizes from its first call. After a ``deadline`` of ``effort()``
    no call is made any more.
    """

    module: nn.Module
    init: Mapping[str, Any]
    seed: int
    positional: bool = False
    fresh: Callable[[], nn.Module] | None = None
    lenient: bool = False
    deadline: float = float("inf")

    def __call__(self, entries: Entries, sizes: Mapping[str, int] | None = None) -> Outcome:
        if effort() > self.deadline:
            return Outcome({}, TimeoutError("the time for finding inputs is over"))
        spec = Spec(self.init, entries)
        known = {**spec.bound, **spec.usual_sizes, **(sizes or {})}
        generator = torch.Generator().manual_seed(self.seed)
        try:
            shapes = [spec.shape(entry, known) for entry in entries]
            if any(8 * prod(shape) > BYTES for shape in shapes):
                return Outcome({}, ValueError(f"inputs of more than {BYTES >> 20} MiB are not tried"))
            drawn = zip(entries, shapes, strict=True)
            values = [sample(entry, shape, known, torch.float32, generator) for entry, shape in drawn]
            with quietly(self.seed), torch.no_grad(), time_limit(SECONDS):
                module = self.fresh() if self.fresh else self.module
                if self.positional:
                    result = module(*values)
                else:
                    result = module(**{e.name: v for e, v in zip(entries, values, strict=True)})
            return Outcome(named_tensors(result), lenient=self.lenient)
        except Exception as error:
            return Outcome({}, error)


@contextlib.contextmanager
def quietly(seed: int) -> Iterator[None]:
    """Nothing printed, no warning shown; the random state and torch's settings as before."""
    dtype, grad, threads = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        seeded(seed),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(grad)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the body after so long, where that can be done: in the main thread, on systems with timers.

    Raises:
        TimeoutError: in the body, when the time is over.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(signum: int, frame: object) -> None:
        raise TimeoutError(f"it took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001) if left else 0)
        signal.signal(signal.SIGALRM, before)
