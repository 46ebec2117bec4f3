"""default-dtype: the module does not depend on torch's default floating-point type."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.observation import loss_of
from verifykit.experiments.precision.ideal import default_dtype
from verifykit.experiments.precision.origins import followed, origin_of
from verifykit.experiments.precision.runs import (
    DOUBLE,
    SINGLE,
    Run,
    cause_of,
    expected,
    has_precision,
    is_float,
    linked_outputs,
    plain_run,
    short,
)
from verifykit.results import Finding, Verified
from verifykit.spec.building import construct, raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors


@check("default-dtype", family="types", severity="warning", requires=("dtype",))
def stays_in_type(subject: Subject) -> Iterator[Finding | Verified]:
    """A float32 module on float32 inputs works the same when torch's default type is float64.

    What:
        Builds the module in float32, sets ``torch.set_default_dtype(torch.float64)`` and calls it on float32 inputs:
        it must not raise, and must return float32. Then builds it under that default and feeds it float64: what is
        hard-coded to float32 in the constructor raises there. The default is put back.

    Why it matters:
        Tensors made in the call without a dtype take the default type, not that of the module. Where the two differ,
        the call raises or everything behind it is promoted: in scientific code, which sets float64, and in half
        precision, which no default follows.

    Wrong:
        def forward(self, x):
            return torch.linalg.solve(x + torch.eye(x.shape[-1]), x)

    Right:
        def forward(self, x):
            return torch.linalg.solve(x + torch.eye(x.shape[-1], dtype=x.dtype, device=x.device), x)

    When to ignore:
        When the project never changes the default type and never leaves it.
    """
    if not has_precision(subject):
        raise Skip("nothing that is fed or registered is floating-point: there is no type to follow")
    plain = plain_run(subject, SINGLE)
    if plain.error is not None:
        raise Skip(f"it does not run in float32 at all: {one_line(plain.error)}")
    finding = _called(subject, plain) or _built(subject)
    if finding is not None:
        yield finding
        return
    yield Verified("float32 stays float32 under the default float64, and the module can be built under it", 2)


def _called(subject: Subject, plain: Run) -> Finding | None:
    """Called in float32 under the default float64."""
    module, inputs = subject.build(SINGLE), subject.draw(dtype=SINGLE)
    under = _outcome(subject, module, inputs)
    if under.error is not None:
        if under.cause in ("own words", "lacking", "other"):
            raise Inconclusive(f"under the default float64, it raises {one_line(under.error)}")
        said = one_line(under.error)
        told = f"a float32 module fed float32 raises when torch's default type is float64: {said}"
        return Finding(told, None, {"default": "float64", "given": "float32"}, raised_location(under.error))
    for name, tensor in under.outputs.items():
        before = plain.outputs.get(name)
        odd = is_float(tensor) and not expected(tensor, SINGLE) and before is not None and expected(before, SINGLE)
        if not odd or name not in linked_outputs(subject) or loss_of(subject) is not None:
            continue
        with default_dtype(DOUBLE):
            steps, outputs = followed(subject, SINGLE)
        origin = origin_of(steps, outputs[name], SINGLE) if name in outputs else None
        verb = origin.step.rpartition(".")[2] if origin and origin.kind == "made" else ""
        cause = f": {verb}() makes a tensor of the default type; give it the dtype of an input" if verb else ""
        returned = short(tensor.dtype)
        told = f"a float32 module fed float32 returns {name} in {returned} when torch's default type is float64"
        evidence = {"default": "float64", "given": "float32", "returned": returned}
        return Finding(told + cause, None, evidence, origin.location if origin else None)
    return None


def _built(subject: Subject) -> Finding | None:
    """Built under the default float64 and fed float64."""
    if subject.target.kind != "class":
        return None
    fixed: list[str] = []
    try:
        with default_dtype(DOUBLE), seeded(subject.seed):
            module = construct(subject.target, subject.spec.init).eval().to(subject.device)
        if any(t.dtype == torch.complex64 for t in module.parameters()):  # said so, as torch wants it
            return None
        fixed = [name for name, t in [*module.named_parameters(), *module.named_buffers()] if t.dtype == SINGLE]
        with default_dtype(DOUBLE), torch.no_grad(), seeded(subject.seed):
            subject.call(module, subject.draw())
    except Exception as error:
        if cause_of(error) != "mismatch":
            return None
        held = f" ({', '.join(fixed[:3])} {'is' if len(fixed) == 1 else 'are'} float32 all the same)" if fixed else ""
        told = f"built while torch's default type is float64 and fed float64, it raises{held}: {one_line(error)}"
        return Finding(told, None, {"float32": fixed}, raised_location(error))
    return None


def _outcome(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> Run:
    try:
        with default_dtype(DOUBLE), torch.no_grad(), seeded(subject.seed):
            return Run(SINGLE, named_tensors(subject.call(module, inputs)))
    except Exception as error:
        return Run(SINGLE, {}, error)
