"""complex: complex inputs are used whole, or refused."""

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.precision.runs import DOUBLE, is_float, is_steady
from verifykit.results import Finding, Location, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import display_path
from verifykit.tracing import trace

# What values and gradients may differ by between real and complex arithmetic, in proportion to the greatest: complex
# functions are computed by other formulas, whose rounding errors are within some thousand units of double precision.
ALLOWED = 1e-11


@check("complex", family="types", severity="warning", requires=("determinism", "precision"))
def complex_inputs(subject: Subject) -> Iterator[Finding | Verified]:
    """Complex inputs are refused or used whole: no imaginary part is dropped without a word.

    What:
        Feeds the real inputs as complex numbers. Where they are accepted: with imaginary parts of zero the values and
        gradients must be those of the real inputs, and other imaginary parts must make a difference to the outputs. A
        module that takes complex inputs by its spec must use their imaginary parts too.

    Why it matters:
        Torch drops an imaginary part with no more than a warning, once: the result is plausible, and not that of the
        inputs.

    Wrong:
        def forward(self, x):
            out = torch.zeros(x.shape)
            out[:] = x  # a real tensor: the imaginary part is lost
            return out * 2

    Right:
        def forward(self, x):
            out = torch.zeros_like(x)
            out[:] = x
            return out * 2

    When to ignore:
        When the module is meant for real inputs only; better, let it refuse others.
    """
    entries = subject.spec.inputs
    if not any(entry.dtype in ("float", "complex") for entry in entries):
        raise Skip("no input is floating-point")
    if not is_steady(subject):
        raise Skip("two calls on the same inputs differ, so an imaginary part's effect cannot be told from noise")
    is_complex = any(entry.dtype == "complex" for entry in entries)
    plain = subject.draw()
    first, second = (_with_imaginary(subject, plain, seed) for seed in (1, 2))
    try:
        one, dropped = _outputs(subject, first)
    except Exception as error:
        if is_complex:
            raise Inconclusive(f"it raises {one_line(error)}") from None
        raise Skip(f"complex inputs are refused: {one_line(error)}") from None
    yield from _judged(subject, one, _outputs(subject, second)[0], dropped, is_complex)


def _judged(
    subject: Subject, one: dict[str, Tensor], other: dict[str, Tensor], dropped: Location | None, is_complex: bool
) -> Iterator[Finding | Verified]:
    floats = [name for name, tensor in one.items() if is_float(tensor)]
    if not floats:
        raise Skip("no output is floating-point")
    elsewhere, _ = _outputs(subject, _with_imaginary(subject, subject.draw(seed=1), 1))
    if not any(_differ(one[name], elsewhere[name]) for name in floats if name in elsewhere):
        raise Skip("the outputs do not depend on the inputs")
    location = dropped or _explicit(subject)
    if not any(_differ(one[name], other[name]) for name in floats if name in other):
        how = "is dropped on the way" if location else "makes no difference"
        told = (
            f"complex inputs are accepted, and their imaginary part {how}: the outputs are those of the real part alone"
        )
        yield Finding(told, None, {"outputs": floats}, location)
        return
    if dropped is not None:
        told = "complex inputs are accepted, and an imaginary part is dropped on the way, with no more than a warning"
        yield Finding(told, None, {"outputs": floats}, dropped)
        return
    if not is_complex:
        finding = _at_zero(subject)
        if finding is not None:
            yield finding
            return
    yield Verified("imaginary parts make a difference, and those of zero make none", 3, None, f"{ALLOWED:g}")


def _with_imaginary(subject: Subject, plain: tuple[Tensor, ...], seed: int) -> tuple[Tensor, ...]:
    """Return the inputs with the same real parts, and imaginary parts drawn under ``seed``; zeros under seed 0."""
    generator = torch.Generator().manual_seed(seed)

    def one(tensor: Tensor) -> Tensor:
        if not is_float(tensor):
            return tensor
        real = tensor.real if tensor.is_complex() else tensor
        imaginary = torch.rand(real.shape, generator=generator, dtype=DOUBLE).to(real.device) + 0.1
        return torch.complex(real.to(DOUBLE), imaginary * (seed != 0))

    return tuple(map(one, plain))


def _outputs(subject: Subject, inputs: tuple[Tensor, ...]) -> tuple[dict[str, Tensor], Location | None]:
    """Return the outputs, and the line at which torch or NumPy says that it drops imaginary parts."""
    module = subject.build()
    with warnings.catch_warnings(record=True) as caught, torch.no_grad(), seeded(subject.seed):
        warnings.simplefilter("always")
        before = torch.is_warn_always_enabled()
        torch.set_warn_always(True)
        try:
            outputs = named_tensors(subject.call(module, [t.clone() for t in inputs]))
        finally:
            torch.set_warn_always(before)
    told = next((w for w in caught if "discards the imaginary part" in str(w.message)), None)
    return outputs, Location(display_path(told.filename), told.lineno) if told else None


def _explicit(subject: Subject) -> Location | None:
    """Return the line that takes the real part, or casts to a real type, of something complex."""
    steps = trace(lambda: _outputs(subject, _with_imaginary(subject, subject.draw(), 1)))
    for step in steps:
        was_complex = any(t.is_complex() for t in step.inputs)
        verb = step.name.removesuffix(".__get__").rpartition(".")[2]
        drops = was_complex and not any(t.is_complex() for t in step.outputs)
        if drops and verb in ("real", "float", "double", "to", "type", "type_as"):
            return step.location
    return None


def _differ(one: Tensor, other: Tensor) -> bool:
    return one.shape != other.shape or not torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))


def _at_zero(subject: Subject) -> Finding | None:
    """Whether values and gradients with imaginary parts of zero are those of real inputs."""
    plain = subject.draw()
    real, complex_ = _differentiated(subject, plain), _differentiated(subject, _with_imaginary(subject, plain, 0))
    if real is None or complex_ is None or real.keys() != complex_.keys():
        return None
    for name, expected in real.items():
        found, finite = complex_[name], expected.isfinite()
        if found.shape != expected.shape or not bool(finite.any()):
            continue
        size = float(expected.abs()[finite].max())
        gap = float((found - expected).abs()[finite].nan_to_num(torch.inf).max())
        if gap > ALLOWED * size:
            told = f"for complex inputs whose imaginary parts are zero, {name} is not that of the same real inputs"
            return Finding(told, None, {"difference": gap, "greatest value": size})
    return None


def _differentiated(subject: Subject, inputs: tuple[Tensor, ...]) -> dict[str, Tensor] | None:
    """Return outputs, and the real parts of the gradients of their real parts' sum, by name."""
    leaves = [t.clone().requires_grad_() if is_float(t) else t for t in inputs]
    try:
        with torch.enable_grad(), seeded(subject.seed):
            outputs = named_tensors(subject.call(subject.build(), [t.clone() for t in leaves]))
        values = {name: t for name, t in outputs.items() if is_float(t)}
        found = {name: t.detach() for name, t in values.items()}
        # Weights, since the sum of what a normaliser gives does not depend on anything.
        reals = [t.real if t.is_complex() else t for t in values.values() if t.requires_grad]
        generator = torch.Generator().manual_seed(subject.seed)
        totals = [(t * torch.rand(t.shape, generator=generator, dtype=DOUBLE).to(t.device)).sum() for t in reals]
        if totals:
            wanted = [(name, t) for name, t in zip(subject.input_names, leaves, strict=True) if t.requires_grad]
            gradients = torch.autograd.grad(torch.stack(totals).sum(), [t for _, t in wanted], allow_unused=True)
            for (name, _), gradient in zip(wanted, gradients, strict=True):
                if gradient is not None:
                    found[f"the gradient of {name}"] = gradient.real if gradient.is_complex() else gradient
    except Exception:  # no gradient for one of them
        return None
    return found
