"""global-state: constructor and forward leave the settings of the process as they found them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from verifykit.checks.registry import check
from verifykit.experiments.behaviour.globals import GENERATORS, SETTINGS, Generator, Setting, put_back
from verifykit.experiments.behaviour.state import line_of_change, same
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Verified
from verifykit.spec.building import construct
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject

SEEDS = (11, 12)


@check("global-state", family="behaviour")
def global_state(subject: Subject) -> Iterator[Finding | Verified]:
    """Constructor and forward leave random generators, dtype, grad mode and other global settings alone.

    What:
        Reads the settings of the process (default dtype and device, grad mode, anomaly mode, threads, deterministic and
        cuDNN flags, warning filters, environment) before and after the constructor and the forward, in eval and in
        training mode. Runs each under two random seeds: where a generator ends in the same state, it was seeded. Each
        is run twice and the second run is judged, since imports may change settings the first time.

    Why it matters:
        A layer that seeds the generator makes every dropout mask, shuffle and initialisation after it repeat. A grad
        mode or dtype that is left changed breaks code that has nothing to do with it.

    Wrong:
        def __init__(self, dim):
            super().__init__()
            torch.manual_seed(0)
            self.register_buffer("projection", torch.randn(dim, dim))

    Right:
        def __init__(self, dim):
            super().__init__()
            generator = torch.Generator().manual_seed(0)
            self.register_buffer("projection", torch.randn(dim, dim, generator=generator))

    When to ignore:
        When the module is the entry point of a program and configures the process on purpose.
    """
    stages: dict[str, Callable[[], Any]] = {}
    if subject.target.kind in ("class", "factory"):
        stages["the constructor"] = partial(construct, subject.target, subject.spec.init)
    with put_back():
        evaluated, trained = subject.build(), subject.build(training=True)
    stages["forward in eval mode"] = lambda: subject.call(evaluated, subject.draw())
    stages["forward in training mode"] = lambda: subject.call(trained, subject.draw())
    told: set[str] = set()
    for stage, run in stages.items():
        for finding in (*_settings(stage, run), *_seeds(stage, run)):
            marks = {str(finding.evidence["setting"])} | ({str(finding.location)} if finding.location else set())
            if not marks & told:  # one line may change two settings, and one setting be changed in every stage
                told |= marks
                yield finding
    if not told:
        yield from _drawn_for_nothing(subject)
    watched = len(SETTINGS) + len(GENERATORS)
    yield Verified(f"{watched} global settings and generators after {', '.join(stages)}", len(stages))


def _settings(stage: str, run: Callable[[], Any]) -> Iterator[Finding]:
    for attempt in range(2):
        with put_back() as before, seeded(0):
            _tried(run)
            after = {setting.name: setting.read() for setting in SETTINGS}
        changed = [setting for setting in SETTINGS if before[setting.name] != after[setting.name]]
        if not changed:
            return
        if attempt:
            for setting in changed:
                yield _changed(setting, stage, run, before[setting.name], after[setting.name])


def _changed(setting: Setting, stage: str, run: Callable[[], Any], before: Any, after: Any) -> Finding:
    with put_back(), seeded(0):
        location = line_of_change(run, setting.read)
    old, new = _difference(before, after)
    evidence = {"setting": setting.name, "before": old, "after": new, "by": stage}
    message = f"{stage} leaves {setting.name} changed, from {old} to {new}: {setting.meaning}"
    return Finding(message, setting.severity, evidence, location)


def _difference(before: Any, after: Any) -> tuple[str, str]:
    if isinstance(before, dict):
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        shown = [str({name: values[name] for name in names if name in values}) for values in (before, after)]
        return shown[0], shown[1]
    if isinstance(before, list):
        new = [entry for entry in after if entry not in before]
        return f"{len(before)} entries", f"{len(after)}" + (f", the new one {new[0]}" if new else "")
    return str(before), str(after)


def _seeds(stage: str, run: Callable[[], Any]) -> Iterator[Finding]:
    ends = []
    with put_back():
        for seed in SEEDS:
            with seeded(seed):
                _tried(run)
                ends.append([generator.state() for generator in GENERATORS])
        for generator, one, other in zip(GENERATORS, *ends, strict=True):
            if one == other:
                yield _seeded(generator, stage, run)


def _seeded(generator: Generator, stage: str, run: Callable[[], Any]) -> Finding:
    with seeded(SEEDS[0]):
        location = line_of_change(run, generator.state)
    return Finding(
        f"{stage} seeds {generator.name}'s global random generator: what the program draws after it repeats",
        None,
        {"setting": f"{generator.name} generator", "by": stage},
        location,
    )


def _drawn_for_nothing(subject: Subject) -> Iterator[Finding]:
    """A generator that moves in eval mode although no result follows it: evaluation then changes training's draws."""
    module, inputs = subject.build(), subject.draw()
    with put_back(), seeded(SEEDS[0]):
        before = [generator.state() for generator in GENERATORS]
        with torch.no_grad():
            subject.call(module, [t.clone() for t in inputs])
        moved = [g for g, state in zip(GENERATORS, before, strict=True) if g.state() != state]
    one, other = (outputs_of(subject, module, inputs, seed=seed) for seed in SEEDS)
    if not moved or any(name not in other or not same(value, other[name]) for name, value in one.items()):
        return  # outputs that follow the seed are for determinism to judge
    with seeded(SEEDS[0]), torch.no_grad():
        location = line_of_change(lambda: subject.call(module, inputs), moved[0].state)
    if location is None:  # torch's own layers draw what some of their options do not need
        return
    yield Finding(
        f"forward draws from {moved[0].name}'s global generator in eval mode and no output follows: "
        "evaluating changes what training draws next",
        "warning",
        {"setting": f"{moved[0].name} generator"},
        location,
    )


def _tried(run: Callable[[], Any]) -> None:
    """What it raises is for other checks to report: what it leaves behind counts here."""
    try:
        run()
    except Exception:
        return
