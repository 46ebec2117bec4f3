"""purity: in eval mode, forward changes nothing that was there before it."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from verifykit.checks.registry import check
from verifykit.experiments.behaviour.effects import (
    Run,
    is_bounded,
    line_of_input,
    line_of_state,
    line_of_write,
    moved_parameters,
    run_once,
    state_of,
)
from verifykit.experiments.behaviour.state import Writes, same, storage_key, tensors_kept
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors


@check("purity", family="behaviour")
def purity(subject: Subject) -> Iterator[Finding | Verified]:
    """In eval mode, forward changes neither its inputs nor the module's parameters and buffers.

    What:
        Compares inputs, parameters, buffers and plain attributes before and after several calls in eval mode, and
        their version counters, and notes each operator that writes in place. Feeds a cotangent backward and sees that
        it is unchanged too. A cache that is filled once and changes no result is a note.

    Why it matters:
        The caller goes on using its tensor: a residual connection then adds what it does not mean to, and a second
        pass over the same batch sees other data. A model whose weights move in evaluation cannot be evaluated.

    Wrong:
        def forward(self, x):
            x -= x.mean(-1, keepdim=True)  # the caller's tensor
            return x * self.scale

    Right:
        def forward(self, x):
            x = x - x.mean(-1, keepdim=True)
            return x * self.scale

    When to ignore:
        When writing in place is the purpose and the name or an ``inplace`` option says so; a module with
        ``inplace = True`` is left alone.
    """
    module = subject.build()
    first = run_once(subject, module, 0)
    runs = [first]
    with suppress(Exception):  # values that it refuses tell nothing of what it writes to
        runs.append(run_once(subject, module, 1))
        other = subject.build()
        with moved_parameters(other):
            runs.append(run_once(subject, other, 2))
    found = [
        *_inputs(subject, runs),
        *_parameters(subject, runs),
        *_buffers(subject, runs),
        *_cotangent(subject),
    ]
    yield from found
    if not any(finding.severity is None for finding in found):
        yield from _attributes(subject)
    count = len(first.before) + len(first.inputs)
    yield Verified(f"{count} inputs, parameters and buffers unchanged by forward in eval mode", len(runs))


def _inputs(subject: Subject, runs: Sequence[Run]) -> Iterator[Finding]:
    for position, name in enumerate(subject.input_names):
        touched = [run for run in runs if _is_touched(run, position)]
        changed = [run for run in touched if not same(run.inputs[position], run.given[position])]
        run = next(iter(changed or touched), None)
        if run is None or _is_declared(subject, run, position):
            continue
        old, new = run.inputs[position], run.given[position]
        location = line_of_write(run.writes, new) or line_of_input(subject, position, values=bool(changed))
        yield _input_finding(subject, name, old, new, location)


def _is_touched(run: Run, position: int) -> bool:
    old, new = run.inputs[position], run.given[position]
    return not same(old, new) or new._version != run.versions[position] or new.requires_grad


def _input_finding(subject: Subject, name: str, old: Tensor, new: Tensor, location: Location | None) -> Finding:
    evidence: dict[str, Any] = {"argument": name, "shape": list(old.shape)}
    if old.shape != new.shape:
        evidence["shape after"] = list(new.shape)
        return Finding(f"forward changes the shape of its argument {name} in place", None, evidence, location)
    if same(old, new):
        how = "sets requires_grad of" if new.requires_grad else "writes in place to"
        return Finding(
            f"forward {how} its argument {name}, whose values stay the same here", "warning", evidence, location
        )
    differs = (old != new) & ~(old.isnan() & new.isnan())
    at = tuple(int(i) for i in differs.nonzero()[0])
    evidence |= {
        "element": list(at),
        "before": old[at].item(),
        "after": new[at].item(),
        "elements changed": f"{int(differs.sum())} of {differs.numel()}",
    }
    part = _part_at_fault(subject, name)
    severity: Severity | None = None
    message = f"forward changes its argument {name} in place: {evidence['elements changed']} elements"
    if part is not None:
        severity = "warning"
        message += f"; its {part} has inplace=True and the caller of {subject.target.label} is not told"
    return Finding(message, severity, evidence, location)


def _part_at_fault(subject: Subject, name: str) -> str | None:
    """The kind of a part whose ``inplace`` option does it: without that, the input stays as it is."""
    module, position = subject.build(), subject.input_names.index(name)
    parts = [part for part in module.modules() if getattr(part, "inplace", False) is True]
    if not parts or not _is_touched(run_once(subject, module, 0), position):
        return None
    for part in parts:
        part.inplace = False  # type: ignore[assignment]
    return None if _is_touched(run_once(subject, module, 0), position) else type(parts[0]).__name__


def _is_declared(subject: Subject, run: Run, position: int) -> bool:
    """Whether the target itself says that it works in place: an option, a trailing underscore, ``mark_dirty``."""
    option = getattr(run.module, "inplace", subject.spec.init.get("inplace"))
    label = subject.target.name.rpartition(":")[2].rpartition(".")[2]
    if option is True or (subject.target.kind == "function" and label.endswith("_")):
        return True
    if subject.target.kind != "autograd.Function":
        return False
    try:
        return "mark_dirty" in inspect.getsource(subject.target.obj)
    except (OSError, TypeError):
        return any(output is run.given[position] for output in run.outputs.values())


def _parameters(subject: Subject, runs: Sequence[Run]) -> Iterator[Finding]:
    names = {name for name, _ in runs[0].module.named_parameters()}
    changed: dict[str, Run] = {}
    for run in runs:
        for name in sorted(names & set(run.before) & set(run.after)):
            if not same(run.before[name], run.after[name]):
                changed.setdefault(name, run)
    if not changed:
        return
    name, run = next(iter(changed.items()))
    parameter, scaled = state_of(run.module)[name], run is not runs[0] and run.module is not runs[0].module
    operators = [write for write in run.writes if write.storage == storage_key(parameter)]
    if any("embedding_renorm_" in write.operator for write in operators):
        yield Finding(f"max_norm rescales {name} in forward, in eval mode too", "note", {"parameter": name})
        return
    location = line_of_write(run.writes, parameter) or line_of_state(subject, name, scaled=scaled)
    settles = is_bounded(subject, name, scaled=scaled)
    told = "brings it within a bound" if settles else "moves it again with every call"
    yield Finding(
        f"forward changes the parameter {name} in eval mode ({told})",
        "warning" if settles else None,
        {"parameter": name, "parameters changed": len(changed)},
        location,
    )


def _buffers(subject: Subject, runs: Sequence[Run]) -> Iterator[Finding]:
    if len(runs) < 2:
        return
    first, second = runs[:2]
    kept = set(first.module.state_dict(keep_vars=True))
    now = dict(first.module.named_buffers())
    changed = [name for name in now if name in first.before and not same(first.before[name], second.before[name])]
    if not changed:
        return
    lasting = [name for name in changed if name in kept and not same(second.before[name], now[name])]
    evidence = {"buffers": changed}
    if not lasting:
        yield Finding(f"the first call in eval mode fills {', '.join(changed)}", "note", evidence)
        return
    fresh = outputs_of(subject, subject.build(), first.inputs)
    used = outputs_of(subject, first.module, first.inputs)
    moved = any(name not in used or not same(value, used[name]) for name, value in fresh.items())
    told = "and with it the result" if moved else "though no result in eval mode follows it"
    counts = not any(now[name].is_floating_point() or now[name].is_complex() for name in lasting)
    location = line_of_write(first.writes, first.module.get_buffer(lasting[0])) or line_of_state(subject, lasting[0])
    yield Finding(
        f"every call in eval mode changes {', '.join(lasting)}, which the state dict keeps, {told}",
        None if moved else "note" if counts else "warning",
        evidence,
        location,
    )


def _attributes(subject: Subject) -> Iterator[Finding]:
    """Tensors in plain attributes that are written over: a note, as no result follows them or determinism says so. What
    is put there anew is a cache, and state-leak's.
    """
    module = subject.build()
    outputs_of(subject, module, subject.draw())
    before = {name: (tensor, tensor.detach().clone()) for name, tensor in tensors_kept(module)}
    outputs_of(subject, module, subject.draw(seed=1))
    after = dict(tensors_kept(module))
    buffers = dict(module.named_buffers())
    names = [
        name
        for name, (tensor, value) in before.items()
        if name not in buffers and after.get(name) is tensor and not same(tensor, value)
    ]
    if names:
        told = ", ".join(names[:3])
        yield Finding(
            f"forward in eval mode changes the tensors {told}, which no result follows", "note", {"tensors": names}
        )


def _cotangent(subject: Subject) -> Iterator[Finding]:
    """The backward gets a tensor that other branches of the graph may be given too."""
    module = subject.build()
    inputs = [t.clone().requires_grad_(t.is_floating_point() or t.is_complex()) for t in subject.draw()]
    try:
        with torch.enable_grad(), seeded(subject.seed):
            outputs = [t for t in named_tensors(subject.call(module, inputs)).values() if t.requires_grad]
            if not outputs:
                return
            cotangents = [torch.randn_like(t) for t in outputs]
            given = [t.clone() for t in cotangents]
            with Writes() as writes:
                torch.autograd.backward(outputs, given)
    except (RuntimeError, NotImplementedError):  # that it has no backward is for the gradient checks to say
        return
    for position, (old, new) in enumerate(zip(cotangents, given, strict=True)):
        if not same(old, new):
            yield Finding(
                "backward changes the gradient that it is given in place, which other branches of the graph share",
                None,
                {"output": position, "elements changed": int((old != new).sum())},
                line_of_write(writes.found, new),
            )
            return
