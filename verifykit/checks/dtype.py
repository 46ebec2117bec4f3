"""dtype: outputs have the floating-point type of the inputs and the module."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.observation import loss_of
from verifykit.experiments.precision.origins import Origin, followed, origin_of
from verifykit.experiments.precision.runs import (
    DOUBLE,
    HALVES,
    SINGLE,
    Run,
    expected,
    has_precision,
    is_float,
    linked_outputs,
    plain_run,
    short,
    why_not,
)
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject

ORDER: tuple[Severity, ...] = ("error", "warning", "note")


@check("dtype", family="types", requires=("registration",))
def dtype(subject: Subject) -> Iterator[Finding | Verified]:
    """Outputs have the floating-point type that the module and its inputs were cast to.

    What:
        Casts the module and its inputs to float64, float32, bfloat16 and float16 in turn and calls it. An output that
        depends on them and has another type is followed back to the line that brought that type in: a tensor made
        without a dtype, a hard-coded one, a cast. A call that raises because two types meet is reported too; one for
        which torch has no kernel is not.

    Why it matters:
        A layer that returns float32 in a bfloat16 model doubles memory and time behind it, or makes the next layer
        raise; one that returns float32 in a float64 model throws half of the digits away.

    Wrong:
        def forward(self, x):
            ramp = torch.linspace(0, 1, x.shape[-1])  # float32, whatever x is
            return x * ramp

    Right:
        def forward(self, x):
            ramp = torch.linspace(0, 1, x.shape[-1], dtype=x.dtype, device=x.device)
            return x * ramp

    When to ignore:
        When the output is meant to have one type whatever comes in, such as logits in float32.
    """
    if not has_precision(subject):
        raise Skip("nothing that is fed or registered is floating-point: there is no type to follow")
    # The partner of a half type among complex numbers is single precision, or not there at all.
    kinds = (DOUBLE, SINGLE) if _is_complex(subject) else (DOUBLE, SINGLE, *HALVES)
    runs = [plain_run(subject, kind) for kind in kinds]
    if not any(is_float(tensor) for run in runs for tensor in run.outputs.values()):
        raise Skip("no output is floating-point")
    deviations = [found for run in runs if (found := _deviation(subject, run)) is not None]
    if deviations:
        worst = min(deviations, key=lambda one: ORDER.index(one.severity))
        evidence = {f"{short(one.run.dtype)} in": one.outcome for one in deviations}
        yield Finding(worst.message, worst.severity, evidence, worst.location)
    yield from _complex_buffers(subject)
    raised = [run for run in runs if run.error is not None]
    undecided = [run for run in raised if run.cause in ("other", "lacking", "own words")]
    fine = [run for run in runs if run.error is None and all(run is not one.run for one in deviations)]
    untried = [f"{short(run.dtype)} not tried: {why_not(run)}" for run in undecided]
    if fine:
        what = f"the outputs follow {', '.join(short(run.dtype) for run in fine)}"
        yield Verified("; ".join([what, *untried]), len(fine))
    odd = [run for run in undecided if run.cause == "other"]
    if odd:
        raise Inconclusive(f"in {short(odd[0].dtype)} it raises {one_line(odd[0].error or RuntimeError())}")


@dataclass(frozen=True)
class _Deviation:
    run: Run
    outcome: str
    message: str
    severity: Severity
    location: Location | None


def _deviation(subject: Subject, run: Run) -> _Deviation | None:
    """Return how the call failed to follow its type, ``None`` where it did, or where that is nobody's fault."""
    given = short(run.dtype)
    if run.error is not None:
        if run.cause not in ("mismatch", "overflow"):
            return None
        said = one_line(run.error)
        why = "two types meet" if run.cause == "mismatch" else "a constant in it does not fit"
        message = f"cast to {given} and fed {given}, it raises, because {why}: {said}"
        # Half precision, it may never be meant to meet.
        severity: Severity = "error" if run.cause == "mismatch" and run.dtype not in HALVES else "warning"
        return _Deviation(run, f"raises {said}", message, severity, raised_location(run.error))
    odd = {name: t for name, t in run.outputs.items() if is_float(t) and not expected(t, run.dtype)}
    linked = linked_outputs(subject)
    odd = {name: t for name, t in odd.items() if name in linked}
    if not odd or (run.dtype in HALVES and loss_of(subject) is not None):  # a loss may well add up in more digits
        return None
    steps, outputs = followed(subject, run.dtype)
    name = next(iter(odd))
    if name not in outputs:
        return None
    returned = short(odd[name].dtype)
    origin = origin_of(steps, outputs[name], run.dtype)
    message = f"cast to {given} and fed {given}, it returns {name} in {returned}: {_cause(origin, returned)}"
    return _Deviation(run, f"{returned} out", message, _severity(subject, origin, run.dtype), origin.location)


def _cause(origin: Origin, returned: str) -> str:
    verb = origin.step.rpartition(".")[2]
    if origin.kind == "cast":
        end = "handed out" if origin.is_last else "not cast back"
        return f"{verb}() casts to {returned}, and the result is {end}"
    if origin.kind == "made":
        made = f"{verb}() makes a tensor in {returned}"
        return f"{made}; give it the dtype of an input" if origin.is_last else f"{made}, which carries the rest along"
    return f"it meets a tensor in {returned} that was not cast with the module, or comes from outside torch"


def _severity(subject: Subject, origin: Origin, given: torch.dtype) -> Severity:
    """A type that crept in is a defect; one that the code casts to, in so many words, may be meant, and half precision
    may never be.
    """
    if origin.kind != "cast":
        return "warning" if given in HALVES else "error"
    if given in HALVES:
        return "note" if origin.is_last else "warning"
    handed_out = origin.is_last or loss_of(subject) is not None
    return "warning" if handed_out or given == SINGLE else "error"


def _is_complex(subject: Subject) -> bool:
    module = subject.build()
    return any(t.is_complex() for t in (*subject.draw(), *module.parameters(), *module.buffers()))


def _complex_buffers(subject: Subject) -> Iterator[Finding]:
    """A module of real inputs with a complex buffer: ``nn.Module.to`` a real type drops the imaginary part."""
    if any(entry.dtype == "complex" for entry in subject.spec.inputs):
        return
    for name, buffer in subject.build().named_buffers():
        if buffer.is_complex():
            told = "is complex, and module.to(torch.bfloat16), or any other real type, drops its imaginary part"
            remedy = "keep it as two real numbers, and view it as complex where it is used"
            yield Finding(f"the buffer {name} {told}: {remedy}", "warning", {"dtype": short(buffer.dtype)})
            return
