"""precision: double precision stays double precision from the inputs to the outputs."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from verifykit.checks.registry import Skip, check
from verifykit.experiments.precision.ideal import KeepsDouble, default_dtype
from verifykit.experiments.precision.origins import followed
from verifykit.experiments.precision.runs import DOUBLE, SINGLE, has_precision, is_float, is_steady, linked_outputs
from verifykit.gradients.function import Function, Tensors
from verifykit.gradients.probe import draw_tangent
from verifykit.results import Finding, Location, Verified
from verifykit.spec.functional import pure_call
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import Step

# What the outputs may differ by, in proportion to the greatest, when nothing is rounded to less than double precision:
# the value that the gradient check allows a function that computes in double precision (2e-16 a step).
ALLOWED = 1e-11
# A step that moves every number by about one unit of single precision, and one that is far below that; what the slopes
# over the two may differ by, in proportion, and how far from a straight line the function must be, for its size.
COARSE, FINE, SLOPE, ROUGH = 1e-7, 1e-10, 1e-2, 1e-9


@check("precision", family="types", severity="error", requires=("determinism", "dtype"))
def precision(subject: Subject) -> Iterator[Finding | Verified]:
    """In float64, nothing on the way from the inputs to the outputs is rounded to fewer digits.

    What:
        Calls the module in float64 as it is, and once more with every cast to a lower type left out and every constant
        made in float64: the outputs must agree. Then moves inputs and parameters by a hundred-millionth, and by far
        less: a function that passes through float32 anywhere, NumPy included, stands still and jumps.

    Why it matters:
        Whoever asks for float64 needs the digits: for ill-conditioned problems, solvers, and to verify gradients. A
        cast to float32 and back costs half of them, and nothing tells.

    Wrong:
        def forward(self, x):
            return x.float().softmax(-1).to(x.dtype)  # meant for half precision, and halves double precision

    Right:
        def forward(self, x):
            wide = torch.promote_types(x.dtype, torch.float32)
            return x.to(wide).softmax(-1).to(x.dtype)

    When to ignore:
        When the module emulates a lower precision on purpose, or float64 is never used.
    """
    if not has_precision(subject):
        raise Skip("nothing that is fed or registered is floating-point")
    if not is_steady(subject):
        raise Skip("two calls on the same inputs differ, so rounding cannot be told from noise")
    steps, outputs = followed(subject, DOUBLE)
    linked = linked_outputs(subject)
    plain = {name: t for name, t in outputs.items() if is_float(t) and name in linked and t.dtype.itemsize >= 8}
    if not plain:
        raise Skip("no output in double precision depends on the inputs or parameters")
    finding = _with_casts(subject, steps, plain) or _roughness(subject, steps) or _with_constants(subject, steps, plain)
    if finding is not None:
        yield finding
        return
    yield Verified("outputs in float64 do not change when nothing is rounded to less", 2, None, f"{ALLOWED:g}")


def _with_casts(subject: Subject, steps: list[Step], plain: dict[str, Tensor]) -> Finding | None:
    """With casts of double precision to less left out."""
    cast = next((step for step in steps[1:] if _lowers(step)), None)
    if cast is None:
        return None
    gap, name = _gap(subject, plain, constants=False)
    if gap <= ALLOWED:
        return None
    lower = next(t.dtype for t in cast.outputs if t.dtype.itemsize < 8)
    verb, single = cast.name.rpartition(".")[2], lower in (SINGLE, torch.complex64)
    told = (
        f"in float64, {verb}() rounds to {str(lower).removeprefix('torch.')} on the way: {name} is off by {gap:.1g} of "
        "its size, where float64 would round to 2e-16"
    )
    remedy = "; to widen half precision only, cast to torch.promote_types(x.dtype, torch.float32)" if single else ""
    # Single precision in so many words is mostly meant for half precision, and never thought of in double precision.
    return Finding(told + remedy, "warning" if single else None, {"output": name, "relative error": gap}, cast.location)


def _with_constants(subject: Subject, steps: list[Step], plain: dict[str, Tensor]) -> Finding | None:
    """With constants made in double precision."""
    made = next((step for step in steps[1:] if _makes_single(step)), None)
    if made is None:
        return None
    gap, name = _gap(subject, plain, constants=True)
    if gap <= ALLOWED:
        return None
    verb = made.name.rpartition(".")[2]
    told = (
        f"in float64, a constant made by {verb}() has the digits of float32 only: {name} is off by {gap:.1g} of its "
        "size; give it the dtype of an input"
    )
    return Finding(told, "warning", {"output": name, "relative error": gap}, made.location)


def _gap(subject: Subject, plain: dict[str, Tensor], *, constants: bool) -> tuple[float, str]:
    """Return by how much, in proportion to its greatest value, an output changes when nothing is rounded to less."""
    module, inputs = subject.build(), subject.draw()
    try:
        with (
            default_dtype(DOUBLE) if constants else nullcontext(),
            torch.no_grad(),
            seeded(subject.seed),
            KeepsDouble(constants=constants),
        ):
            ideal = named_tensors(subject.call(module, inputs))
    except Exception:  # it needs the type that it casts to
        return 0.0, ""
    found = [(0.0, "")]
    for name, tensor in plain.items():
        other = ideal.get(name)
        if other is None or other.shape != tensor.shape or not tensor.numel():
            continue
        size = float(tensor.abs().nan_to_num(0, 0, 0).max())
        gap = float((tensor - other).abs().nan_to_num(0, 0, 0).max())
        found.append((gap / size if size else 0.0, name))
    return max(found)


def _lowers(step: Step) -> bool:
    """Whether it makes a lower floating-point type of double precision."""
    doubles = any(is_float(t) and t.dtype in (DOUBLE, torch.complex128) for t in step.inputs)
    return doubles and any(is_float(t) and t.dtype not in (DOUBLE, torch.complex128) for t in step.outputs)


def _makes_single(step: Step) -> bool:
    """Whether it makes numbers in single precision, out of none, that need more digits than it has."""
    if any(is_float(t) for t in step.inputs):
        return False
    made = [t for t in step.outputs if t.dtype == SINGLE and t.numel()]
    return any(bool((t.bfloat16().to(t.dtype) != t).any()) for t in made)


def _roughness(subject: Subject, steps: list[Step]) -> Finding | None:
    """Whether the function stands still and jumps over steps of the size of single precision."""
    found = [_rough(subject, seed) for seed in (0, 1)]
    if any(one is None for one in found):
        return None
    noise = max(one for one in found if one is not None)
    told = (
        f"in float64, the outputs are rounded to about {noise:.1g} of their size, as in float32: they stand still, and "
        "then jump, as inputs and parameters move by less than a ten-millionth"
    )
    return Finding(told, None, {"rounding": noise}, _leaves_torch(steps))


def _rough(subject: Subject, seed: int) -> float | None:
    """Return the rounding seen in units of the size of the outputs, ``None`` where there is no more than is due."""
    call = pure_call(subject, subject.build(), subject.draw(seed=seed))
    if not call.names:
        return None
    function, generator = Function(call, call.names, subject.seed), torch.Generator().manual_seed(subject.seed + seed)
    point = call.point
    tangents = [draw_tangent(leaf, generator) for leaf in point]
    try:
        middle = function(point)
        near, far = (_sides(function, point, tangents, step) for step in (FINE, COARSE))
    except Exception:  # it refuses other values: no point to judge
        return None
    worst = None
    for value, (up, down), (above, below) in zip(middle, near, far, strict=True):
        size = float(value.abs().nan_to_num(0, 0, 0).max()) if value.numel() else 0.0
        bend = float((above - 2 * value + below).abs().nan_to_num(0, 0, 0).max()) if value.numel() else 0.0
        if size == 0 or bend < ROUGH * size:
            continue
        fine, coarse = (up - down) / (2 * FINE), (above - below) / (2 * COARSE)
        scale = float(torch.linalg.vector_norm(fine) + torch.linalg.vector_norm(coarse))
        if float(torch.linalg.vector_norm(fine - coarse)) > SLOPE * scale:
            worst = max(worst or 0.0, bend / size)
    return worst


def _sides(
    function: Callable[[Tensors], Tensors], point: Tensors, tangents: Tensors, step: float
) -> list[tuple[Tensor, Tensor]]:
    ahead, behind = (function([p + sign * step * v for p, v in zip(point, tangents, strict=True)]) for sign in (1, -1))
    return list(zip(ahead, behind, strict=True))


def _leaves_torch(steps: list[Step]) -> Location | None:
    names = ("numpy", "__array__", "tolist", "item")
    return next((step.location for step in steps if step.name.rpartition(".")[2] in names), None)
