"""device: the module runs wherever it is moved."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import rounding_tolerance, worst_difference
from verifykit.errors import one_line
from verifykit.experiments.observation import plain_outputs
from verifykit.experiments.precision.places import Meeting, Places
from verifykit.experiments.precision.runs import SINGLE, is_steady, plain_run
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors


@check("device", family="types", severity="warning", requires=("registration",))
def device(subject: Subject) -> Iterator[Finding | Verified]:
    """Moved to another device with its inputs, the module works there and makes nothing on the CPU.

    What:
        Moves the module and its inputs to torch's meta device, which has shapes and no values, calls it, and watches
        every operation for tensors left on the CPU: made in the call without a device, or held where ``to`` does not
        reach. A module that reads values is followed on the CPU instead. Where there is a GPU, results are compared.

    Why it matters:
        It passes every test on the CPU, and raises in the first call on a GPU.

    Wrong:
        def forward(self, x):
            positions = torch.arange(x.shape[1])  # on the CPU, wherever x is
            return x + self.embedding(positions)

    Right:
        def forward(self, x):
            positions = torch.arange(x.shape[1], device=x.device)
            return x + self.embedding(positions)

    When to ignore:
        When the module is meant for the CPU only.
    """
    if not subject.spec.inputs and not any(True for _ in subject.build().parameters()):
        raise Skip("there is nothing to move")
    plain = plain_run(subject, SINGLE)
    if plain.error is not None:
        raise Skip(f"it does not run in float32: {one_line(plain.error)}")
    shapes, meeting, error = _on_meta(subject)
    if meeting is None and error is not None:
        meeting = _on_cpu(subject)
    if meeting is not None:
        yield _finding(meeting)
        return
    if error is not None:
        if "on the same device" in str(error) or "on device cpu is not on the expected device" in str(error):
            told = f"moved to another device with its inputs, it raises {one_line(error)}"
            yield Finding(told, location=raised_location(error))
            return
        yield from _on_gpu(subject)
        reads = "nothing is made on the CPU, as far as the calls show; whether it runs elsewhere was not tried"
        yield Verified(f"{reads}: torch's meta device, which has no values, cannot ({one_line(error)})", 1)
        return
    for name, (shape, where) in shapes.items():
        if where == "cpu" and name in plain.outputs:
            told = f"moved to another device with its inputs, it returns {name} on the CPU"
            yield Finding(told, None, {"output": name, "shape": list(shape)})
            return
        if name in plain.outputs and tuple(plain.outputs[name].shape) != shape:
            differs = f"{name} has shape {list(shape)} there and {list(plain.outputs[name].shape)} on the CPU"
            raise Inconclusive(f"on torch's meta device, {differs}")
    yield from _on_gpu(subject)
    yield Verified(f"on torch's meta device it gives the same shapes ({', '.join(shapes)})", 1)


def _on_meta(subject: Subject) -> tuple[dict[str, tuple[tuple[int, ...], str]], Meeting | None, Exception | None]:
    """Return shape and device of each output on the meta device, where devices met, and what was raised."""
    away, places = replace(subject, device="meta", _shared={}), Places()
    try:
        module, inputs = away.build(SINGLE), away.draw(dtype=SINGLE)
        with torch.no_grad(), seeded(subject.seed), places:
            outputs = named_tensors(away.call(module, inputs))
    except Exception as error:
        return {}, places.meeting, error
    return {name: (tuple(t.shape), t.device.type) for name, t in outputs.items()}, places.meeting, None


def _on_cpu(subject: Subject) -> Meeting | None:
    """Where devices would meet, as far as can be told on the CPU: of a module that reads values."""
    module, inputs = subject.build(SINGLE), subject.draw(dtype=SINGLE)
    places = Places([*inputs, *module.parameters(), *module.buffers()])
    try:
        with torch.no_grad(), seeded(subject.seed), places:
            subject.call(module, inputs)
    except Exception:
        return None
    return places.meeting


def _finding(meeting: Meeting) -> Finding:
    evidence = {"operation": meeting.step, "shape": list(meeting.shape), "at": str(meeting.location or "")}
    if meeting.step in ("numpy", "array"):
        told = "moved to a GPU with its inputs, it raises: values are handed to NumPy without .cpu()"
    elif meeting.made_by:
        told = (
            f"moved to another device with its inputs, it raises: {meeting.made_by}() makes a tensor on the CPU, which "
            f"meets one from there in {meeting.step}(); give it the device of an input"
        )
    else:
        told = (
            f"moved to another device with its inputs, it raises: a tensor of shape {list(meeting.shape)} that stayed "
            f"on the CPU is met in {meeting.step}(); make it a buffer"
        )
    return Finding(told, None, evidence, meeting.made_at or meeting.location)


def _on_gpu(subject: Subject) -> Iterator[Finding | Verified]:
    """Compare with the GPU, where there is one."""
    if not torch.cuda.is_available() or not is_steady(subject):
        return
    away = replace(subject, device="cuda", _shared={})
    try:
        found = plain_outputs(away, torch.float64)
    except Exception as error:
        told = f"moved to the GPU with its inputs, it raises {one_line(error)}"
        yield Finding(told, location=raised_location(error))
        return
    double, single = plain_outputs(subject, torch.float64), plain_outputs(subject, SINGLE)
    for name, expected in double.items():
        if name not in found or not expected.is_floating_point() or found[name].shape != expected.shape:
            continue
        tolerance = rounding_tolerance(expected, single[name], torch.float64)
        worst = worst_difference(found[name].cpu(), expected, tolerance)
        if worst is not None and worst.excess > 1:
            told = f"{name} on the GPU differs from the CPU by {worst.error:.2g}, where rounding allows {tolerance:.2g}"
            yield Finding(told, None, {"element": list(worst.index), "GPU": worst.actual, "CPU": worst.expected})
            return
    yield Verified("results on the GPU agree with the CPU", 1)
