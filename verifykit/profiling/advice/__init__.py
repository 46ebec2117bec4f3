"""What to do about what a module costs: only what was measured in this run, and only where it matters."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import torch

from verifykit.profiling.advice.builtin import faster_reference
from verifykit.profiling.advice.compiled import faster_compiled
from verifykit.profiling.advice.copies import needless_copies
from verifykit.profiling.advice.experiment import Experiment
from verifykit.profiling.advice.loops import loops
from verifykit.profiling.advice.quadratic import quadratic_memory
from verifykit.profiling.advice.recomputable import recomputable
from verifykit.profiling.advice.recomputation import recomputations
from verifykit.profiling.advice.state import growing_state
from verifykit.profiling.advice.waits import host_syncs
from verifykit.profiling.workload import Workload
from verifykit.results.performance import Advice, Measurements
from verifykit.spec.subject import Subject

Part = Callable[[], Iterator[Advice]]

_TORCH = Path(torch.__file__).resolve().parent
_MEMORY = ("saved for backward", "quadratic memory", "quadratic attention memory")
# The share of memory from which advice on it may stand before advice on time.
MOST = 0.5


def advise(subject: Subject, loads: Sequence[Workload], measured: Measurements) -> list[Advice]:
    """Return what would make the subject cheaper, the greatest gain first, but memory
    that is not most of the peak after all of time.

    ``loads`` are the target's workload and the reference's, if there is one; ``measured`` is what was measured of them
    before: of what is missing in it nothing is said. Copies and repeated work are left out here, to see whether
    anything changes and what it gains. What raises costs only its own kind of advice.
    """
    parts = [*_from_measurements(subject, loads[0], measured)]
    with suppress(Exception):
        parts += _from_experiments(Experiment.of(subject, loads[0]), measured)
    found: list[Advice] = []
    for part in parts:
        with suppress(Exception):
            found += part()
    if any(advice.kind.startswith("quadratic") for advice in found):
        found = [advice for advice in found if advice.kind != "saved for backward"]  # they are it
    return sorted(found, key=lambda advice: (_is_minor(advice), -advice.gain))


def _from_measurements(subject: Subject, load: Workload, measured: Measurements) -> Iterator[Part]:
    place = subject.forward_location
    if place is not None and Path(place.file).resolve().is_relative_to(_TORCH):
        place = None  # nobody changes that
    yield lambda: faster_reference(measured, place)
    compiled = measured.compiled
    if compiled is not None:
        yield lambda: faster_compiled(compiled, place)
    profile = measured.profile
    if profile is None:
        return
    memory, where = profile.memory, profile.where
    if memory is not None:
        yield lambda: growing_state(memory)
        yield lambda: recomputable(load, memory)
    if where is not None:
        yield lambda: host_syncs(where)


def _from_experiments(experiment: Experiment, measured: Measurements) -> Iterator[Part]:
    profile, growth = measured.profile, measured.growth
    yield lambda: needless_copies(experiment)
    yield lambda: recomputations(experiment)
    yield lambda: loops(experiment, profile.where if profile else None)
    if profile is not None:
        seconds = (profile.step or profile.forward).median
        yield lambda: quadratic_memory(experiment, growth, seconds)


def _is_minor(advice: Advice) -> bool:
    return advice.kind in _MEMORY and advice.gain < MOST
