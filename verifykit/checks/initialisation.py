"""initialisation: parameters start at values that can be trained, and that can be had again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Skip, check
from verifykit.experiments.holdings import where_assigned
from verifykit.experiments.module_state import alike, fresh, is_module
from verifykit.experiments.observation import loss_of, outputs_of
from verifykit.gradients.function import random_signs
from verifykit.results import Finding, Location, Verified
from verifykit.spec.domain import Real
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

STEPS = 4
# What the units of a layer may part by through rounding, relative to how far they moved.
PARTED = 1e-6
# Growth of the standard deviation from input to output above which a layer is too large to train.
GROWTH = 1e3


@check("initialisation", family="hygiene")
def initialisation(subject: Subject) -> Iterator[Finding | Verified]:
    """Parameters start at defined, finite, repeatable values, from which the units of a layer part.

    What:
        Builds the module with fresh memory filled with NaN, so that what was never written shows; twice under one
        seed; takes a few steps of gradient descent where all units of a layer start alike, and looks whether they
        part; compares the scale of outputs and inputs.

    Why it matters:
        Uninitialised memory is often zero in a test and anything in production. Units that start alike and have equal
        gradients stay alike: the layer has the capacity of one unit, however wide it is.

    Wrong:
        def __init__(self, n):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(n, n))  # whatever was in memory

    Right:
        def __init__(self, n):
            super().__init__()
            self.weight = nn.Parameter(torch.empty(n, n))
            nn.init.xavier_uniform_(self.weight)

    When to ignore:
        When the values are always loaded or set before use.
    """
    if not is_module(subject):
        raise Skip("a function has no parameters")
    module = fresh(subject)
    if not [*module.parameters(), *module.buffers()]:
        raise Skip("it has neither parameters nor buffers")
    bad = [name for name, parameter in module.named_parameters() if not bool(parameter.isfinite().all())]
    unwritten = _unwritten(subject, module, bad)
    if unwritten is not None:
        yield unwritten
    elif bad:
        count = int((~module.get_parameter(bad[0]).isfinite()).sum())
        told = f"{count} elements of {bad[0]} are not finite when it is built"
        yield Finding(told, evidence={"parameters": bad[:8]}, location=_assigned(module, bad[0]))
    else:
        yield from _unrepeatable(subject)
    yield Verified("parameters and buffers: written, finite, the same under one seed", 3)
    if bad or unwritten is not None:
        return
    yield from _unbroken(subject, module)
    yield from _growth(subject, module)


def _unwritten(subject: Subject, module: nn.Module, bad: Sequence[str]) -> Finding | None:
    with _poisoned_memory():
        poisoned = fresh(subject)
    names = [
        name
        for name, parameter in poisoned.named_parameters()
        if name not in bad and not bool(parameter.isfinite().all()) and parameter.numel()
    ]
    if names:
        count = int((~poisoned.get_parameter(names[0]).isfinite()).sum())
        told = f"{count} of {poisoned.get_parameter(names[0]).numel()} elements of {names[0]} are uninitialised memory"
        return Finding(told, evidence={"parameters": names[:8]}, location=_assigned(module, names[0]))
    with _poisoned_memory():
        spoilt = _nan_free(subject, module) and not _nan_free(subject, poisoned)
    if not spoilt:
        return None
    buffers = [name for name, buffer in poisoned.named_buffers() if bool((buffer != buffer).any())]
    name = buffers[0] if buffers else "something that it allocates"
    told = f"the output depends on uninitialised memory: {name} is read before it is written"
    return Finding(told, evidence={"buffers": buffers[:8]}, location=_assigned(module, name) if buffers else None)


def _nan_free(subject: Subject, module: nn.Module) -> bool:
    try:
        outputs = outputs_of(subject, module, subject.draw())
    except Exception:
        return True
    return not any(bool((output != output).any()) for output in outputs.values())


@contextmanager
def _poisoned_memory() -> Iterator[None]:
    """Have torch fill the memory that it allocates with NaN, as its deterministic mode does."""
    # The public setters import the compiler, which takes seconds.
    before = torch._C._get_deterministic_algorithms(), torch._C._get_deterministic_algorithms_warn_only()
    fill = torch._C._get_deterministic_fill_uninitialized_memory()
    torch._C._set_deterministic_algorithms(True, warn_only=True)
    torch._C._set_deterministic_fill_uninitialized_memory(True)
    try:
        yield
    finally:
        torch._C._set_deterministic_algorithms(before[0], warn_only=before[1])
        torch._C._set_deterministic_fill_uninitialized_memory(fill)


def _unrepeatable(subject: Subject) -> Iterator[Finding]:
    with _poisoned_memory():  # so that a buffer which is yet to be written does not differ
        module, other = fresh(subject), fresh(subject)
    again = dict([*other.named_parameters(), *other.named_buffers()])
    own = [*module.named_parameters(), *module.named_buffers()]
    names = [n for n, t in own if n not in again or not alike(t.detach(), again[n].detach())]
    if names:
        told = (
            "is another one in each construction, whatever the seeds of torch, NumPy and Python: no run can be repeated"
        )
        yield Finding(f"{names[0]} {told}", "warning", {"parameters": names[:8]}, _assigned(module, names[0]))


def _unbroken(subject: Subject, module: nn.Module) -> Iterator[Finding | Verified]:
    """Units that start alike and are still alike after some steps."""
    alike_at_first = [
        (name, axis) for name, p in module.named_parameters() for axis in _equal_axes(p) if p.requires_grad
    ]
    if not alike_at_first:
        return
    start = {name: p.detach().clone() for name, p in module.named_parameters()}
    trained = _trained(subject, [name for name, _ in alike_at_first])
    if trained is None:
        return
    stuck = []
    for name, axis in alike_at_first:
        if name not in trained:  # no gradient leads to it
            continue
        moved = float((trained[name] - start[name]).abs().max())
        rows = trained[name].movedim(axis, 0)
        if float((rows - rows[:1]).abs().max()) <= PARTED * moved:
            stuck.append((name, axis, moved))
    if not stuck:
        yield Verified(f"{len(alike_at_first)} parameters whose units start alike part in {STEPS} steps", STEPS)
        return
    name, axis, moved = stuck[0]
    shape = list(start[name].shape)
    others = sorted({other for other, _, _ in stuck} - {name})
    reason = "their gradients are equal" if moved else "their gradients are zero"
    yield Finding(
        f"the {shape[axis]} units of {name} {shape} start alike and are alike after {STEPS} steps, since {reason}: "
        "they count as one" + (f" (so are those of {', '.join(others[:3])})" if others else ""),
        "warning",
        {"parameter": name, "shape": shape, "axis": axis, "moved by": moved},
        _assigned(module, name),
    )


def _equal_axes(parameter: Tensor) -> list[int]:
    """The axis along which all slices of a matrix are equal, the first of the two that number units, if any."""
    if parameter.ndim < 2 or not parameter.numel():
        return []
    for axis in (0, 1):
        rows = parameter.detach().movedim(axis, 0)
        if len(rows) > 1 and bool((rows == rows[:1]).all()):
            return [axis]
    return []


def _trained(subject: Subject, names: Sequence[str]) -> dict[str, Tensor] | None:
    """Return the values after some steps of descent on a loss that treats no two outputs alike."""
    module = fresh(subject, training=True)
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    reached = set[str]()
    try:
        for step in range(STEPS):
            generator = torch.Generator().manual_seed(subject.seed + step)
            with torch.enable_grad(), seeded(subject.seed + step):
                outputs = named_tensors(subject.call(module, subject.draw(seed=step))).values()
                products = [
                    (o * random_signs(o, generator).to(o.dtype)).abs().square().sum().double()
                    + (o * random_signs(o, generator).to(o.dtype)).real.sum().double()
                    for o in outputs
                    if o.requires_grad
                ]
                gradients = torch.autograd.grad(
                    torch.stack(products).sum(), list(parameters.values()), allow_unused=True
                )
            with torch.no_grad():
                for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True):
                    if gradient is not None:
                        reached.add(name)
                        # Every tensor moves at a pace of its own, so that a vanishing gradient shows as well.
                        parameter.sub_(
                            0.1 * gradient / gradient.abs().max().clamp_min(torch.finfo(gradient.abs().dtype).tiny)
                        )
    except Exception:
        return None
    return {name: parameters[name].detach() for name in names if name in reached}


def _growth(subject: Subject, module: nn.Module) -> Iterator[Finding]:
    entries, inputs = subject.spec.inputs, subject.draw()
    real = [
        t for entry, t in zip(entries, inputs, strict=True) if isinstance(entry.domain, Real) and t.is_floating_point()
    ]
    if not real or len(real) < len(inputs) or loss_of(subject) is not None or not list(module.parameters()):
        return
    outputs = [o for o in outputs_of(subject, module, inputs).values() if o.is_floating_point() and o.numel() > 1]
    before = max((float(t.std()) for t in real if t.numel() > 1), default=0.0)
    after = max((float(o.std()) for o in outputs), default=0.0)
    if before and after > GROWTH * before:
        told = f"its output has a standard deviation {after / before:.3g} times that of its input when it is built"
        evidence = {"input": before, "output": after}
        yield Finding(f"{told}: with such weights training diverges at first", "warning", evidence)


def _assigned(module: nn.Module, name: str) -> Location | None:
    prefix, _, attribute = name.rpartition(".")
    return where_assigned(module.get_submodule(prefix), attribute)
