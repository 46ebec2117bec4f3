"""autocast: forward and backward run under torch.autocast, and stay near float32."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import unravelled
from verifykit.errors import one_line
from verifykit.experiments.numerics.blame import forward_origin, operation
from verifykit.experiments.precision.rounding import due_to
from verifykit.experiments.precision.runs import SINGLE, attempt, cause_of, is_float, is_steady
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import locate

# An output that is off by more than this share of its greatest value, 25 units of rounding of bfloat16, and by so many
# times what that rounding of every input and parameter, four units, would cause, is off for another reason.
NEAR, WIDE, UNITS, DRAWS = 0.2, 8.0, 4.0, 6


@check("autocast", family="types", severity="warning", requires=("determinism", "dtype"))
def autocast(subject: Subject) -> Iterator[Finding | Verified]:
    """Under autocast to bfloat16, forward and backward run and give finite values near those of float32.

    What:
        Calls the float32 module on float32 inputs under ``torch.autocast("cpu", dtype=torch.bfloat16)``, in eval and in
        training mode, and runs backward outside it, as training does. A call that raises because types meet, and one
        that gives NaN or values far from float32, is reported.

    Why it matters:
        Mixed precision is how models are trained. Matrix products come out in bfloat16 there, so that writing them into
        a float32 buffer, or handing both to an operation or a hand-written Function, raises hours into a job.

    Wrong:
        def forward(self, x, mask):
            out = torch.zeros_like(x)
            out[mask] = self.linear(x[mask])  # bfloat16 into float32
            return out

    Right:
        def forward(self, x, mask):
            out = torch.zeros_like(x)
            out[mask] = self.linear(x[mask]).to(out.dtype)
            return out

    When to ignore:
        When the module never runs under autocast.
    """
    if not any(is_float(t) for t in (*subject.draw(), *subject.build().parameters())):
        raise Skip("nothing that is fed or learnt is floating-point")
    modes = [training for training in (False, True) if attempt(subject, SINGLE, training=training).error is None]
    if not modes:
        raise Skip("it does not run in float32")
    passed = list[str]()
    for training in modes:
        plain = _Pass.run(subject, training=training, cast=False)
        cast = _Pass.run(subject, training=training, cast=True)
        if plain.error is not None:  # an input that cannot be differentiated, or no backward: not for this check
            plain = _Pass.run(subject, training=training, cast=False, backward=False)
            cast = _Pass.run(subject, training=training, cast=True, backward=False)
        if cast.error is not None:
            yield from _raised(subject, cast, cast.error)
            return
        if not is_steady(subject, training=training):
            passed.append(f"{'training' if training else 'eval'}, values not compared: calls differ")
            continue
        finding = _off(subject, plain, cast, training)
        if finding is not None:
            yield finding
            return
        passed.append("training" if training else "eval")
    yield Verified(f"forward and backward under autocast to bfloat16 ({', '.join(passed)} mode)", len(passed))


@dataclass(frozen=True)
class _Pass:
    """Outputs and gradients of one forward and backward, or what was raised, and in which of the two."""

    outputs: dict[str, Tensor]
    gradients: dict[str, Tensor]
    error: Exception | None = None
    stage: str = ""
    graph: tuple[Tensor, ...] = ()

    @staticmethod
    def run(subject: Subject, *, training: bool, cast: bool, backward: bool = True) -> "_Pass":
        module, inputs = subject.build(SINGLE, training=training), subject.draw(dtype=SINGLE)
        names = [name for name, t in zip(subject.input_names, inputs, strict=True) if is_float(t)]
        leaves = [t.requires_grad_() for t in inputs if is_float(t) and backward]
        owned = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        # Copies, so that a module may write into what it is given.
        fed = [t.clone() if is_float(t) else t for t in inputs]
        outputs: dict[str, Tensor] = {}
        try:
            with (
                torch.enable_grad(),
                seeded(subject.seed),
                torch.autocast("cpu", dtype=torch.bfloat16, enabled=cast),
            ):
                outputs = named_tensors(subject.call(module, fed))
        except Exception as error:
            return _Pass({}, {}, error, "forward")
        values = {name: t.detach() for name, t in outputs.items()}
        graph = tuple(t for t in outputs.values() if t.requires_grad and not t.is_complex())
        if not backward or not graph:
            return _Pass(values, {})
        try:
            total = torch.stack([output.sum().float() for output in graph]).sum()
            found = torch.autograd.grad(total, [*leaves, *(p for _, p in owned)], allow_unused=True)
        except Exception as error:
            return _Pass(values, {}, error, "backward", graph)
        named = zip([*names, *(name for name, _ in owned)], found, strict=True)
        return _Pass(values, {f"gradient of {name}": g for name, g in named if g is not None})


def _raised(subject: Subject, cast: _Pass, error: Exception) -> Iterator[Finding]:
    said = one_line(error)
    if cause_of(error) != "mismatch":
        raise Inconclusive(f"under autocast to bfloat16, its {cast.stage} raises {said}")
    told = f"under autocast to bfloat16, its {cast.stage} raises, because two types meet: {said}"
    location = raised_location(error)
    if cast.stage == "backward":
        location = location or _backward_of(subject, cast)
    yield Finding(told, None, {"stage": cast.stage}, location)


def _backward_of(subject: Subject, cast: _Pass) -> Location | None:
    """The hand-written backward in the graph."""
    waiting = [output.grad_fn for output in cast.graph]
    seen = set[object]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        function = getattr(node, "_forward_cls", None)
        if function is not None:
            return locate(function.backward)
        waiting += [following for following, _ in node.next_functions]
    return None


def _off(subject: Subject, plain: _Pass, cast: _Pass, training: bool) -> Finding | None:
    for name, before in {**plain.outputs, **plain.gradients}.items():
        after = {**cast.outputs, **cast.gradients}.get(name)
        if after is None or after.shape != before.shape or not is_float(before) or not before.numel():
            continue
        lost = before.isfinite() & ~after.isfinite()
        if bool(lost.any()):
            at = int(lost.flatten().int().argmax())
            element = list(unravelled(at, before.shape))
            step = forward_origin(partial(_forward, subject, training))
            done = f" in {operation(step)}()" if step else ""
            evidence = {"element": element, "autocast": str(after.flatten()[at].item())}
            evidence |= {"float32": str(before.flatten()[at].item())}
            told = f"under autocast to bfloat16, {name} is not finite{done}, where it is in float32"
            return Finding(told, None, evidence, step.location if step else None)
    if training:
        return None
    for index, (name, gap, size, due) in enumerate(_distances(subject, plain, cast)):
        if gap > NEAR * size and gap > WIDE * due:
            measured: dict[str, Any] = {"output": index, "difference": gap, "size": size, "due to rounding": due}
            told = f"under autocast to bfloat16, {name} is off by {gap:.2g} where its values are of size {size:.2g}"
            return Finding(told, None, measured)
    return None


def _distances(subject: Subject, plain: _Pass, cast: _Pass) -> Iterator[tuple[str, float, float, float]]:
    """Yield each output's name, its greatest change, its size, and the change that rounding would cause."""
    names = [name for name, t in plain.outputs.items() if is_float(t)]
    generator, relative = torch.Generator().manual_seed(subject.seed), UNITS * torch.finfo(torch.bfloat16).eps
    try:
        due = due_to(subject, subject.build(), subject.draw(), relative, DRAWS, generator)
    except Exception:  # it refuses other values
        return
    for name, allowed in zip(names, due, strict=False):
        before, after = plain.outputs[name], cast.outputs.get(name)
        if after is None or after.shape != before.shape or not before.numel():
            continue
        finite = before.isfinite()
        gap = (after.to(before.dtype) - before).abs()[finite]
        if gap.numel():
            yield name, float(gap.max()), float(before.abs()[finite].max()), float(allowed.max())


def _forward(subject: Subject, training: bool) -> None:
    module, inputs = subject.build(SINGLE, training=training), subject.draw(dtype=SINGLE)
    with torch.no_grad(), seeded(subject.seed), torch.autocast("cpu", dtype=torch.bfloat16):
        subject.call(module, inputs)
