"""Whether a target is the operation that it claims to be, a known variant of it, or neither."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from verifykit.identify.definitions.candidates import NAMED, variants
from verifykit.identify.definitions.definition import Definition
from verifykit.identify.definitions.first_look import Look, Looker, difference, kept
from verifykit.identify.facts import Facts
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject

# Differences, relative to the greatest value, that rounding explains in double precision; more would be another
# operation, and less than a first look takes notice of.
ROUNDING = 1e-10
SEEDS, LARGE, SMALL = 3, 4.0, 1e-3
# An eps that clamps shows only where norms are as small as it is.
TINY = 1e-9
# What comes so near without being equal is compared, whatever made it differ; beyond it is another construction.
NEAR = 0.1

Relation = Literal["equal", "equal but where tiny", "variant", "near", "other"]


@dataclass(frozen=True)
class Point:
    """One call of the target: what it was given, in which mode, and what came back."""

    what: str
    inputs: tuple[Tensor, ...]
    outputs: dict[str, Tensor]
    training: bool = False


@dataclass(frozen=True)
class Judgement:
    """How a target relates to ``definition``. ``look`` is what it was compared with last, a variant where one explains
    it; ``plain`` the definition itself with the same arguments.
    """

    definition: Definition
    relation: Relation
    points: int = 0
    worst: float = 0.0
    look: Look | None = None
    plain: Look | None = None

    @property
    def usual(self) -> bool:
        """Whether what explains it goes by the same name in the literature."""
        known = {v.phrase: v.usual for values in self.definition.deviations.values() for v in values}
        return self.look is not None and all(known[phrase] for phrase in self.look.candidate.deviations)


def judge(facts: Facts, definition: Definition) -> Judgement:
    """Compare the target with ``definition``, then with its variants. What the module raises passes through."""
    points = list(_points(facts, definition))
    if not points:
        return Judgement(definition, "other")
    looker = Looker(facts, points[0].inputs, points[0].outputs)
    nearest: Look | None = None
    tiny: Judgement | None = None
    for deviations in range(3):
        for candidate in variants(definition, facts, deviations, NAMED[deviations]):
            look = looker.look(candidate, exchange=not _ordered(facts.subject))
            if look is None:
                continue
            if not deviations and (nearest is None or look.residual < nearest.residual):
                nearest = look
            if look.residual > ROUNDING * 100:
                continue
            worst = _worst(facts, look, [p for p in points if p.what != "tiny"])
            if worst > ROUNDING:
                continue
            at_tiny = _worst(facts, look, [p for p in points if p.what == "tiny"])
            if at_tiny > ROUNDING and not deviations:
                tiny = tiny or Judgement(definition, "equal but where tiny", len(points), worst, look, look)
            elif at_tiny <= ROUNDING:
                if deviations or kept(facts, look):
                    plain = _undeviated(definition, look, looker) if deviations else look
                    return Judgement(definition, "variant" if deviations else "equal", len(points), worst, look, plain)
                nearest = look
        if nearest is None:
            return Judgement(definition, "other")
    if tiny is not None:
        return tiny
    near = nearest is not None and _related(facts, nearest, points) <= NEAR
    return Judgement(definition, "near" if near else "other", look=nearest, plain=nearest)


def _points(facts: Facts, definition: Definition) -> Iterator[Point]:
    """Calls at other values and sizes, at large, small and tiny ones, and in training mode, as far as
    it takes them. What has no eps is not given tiny ones, where rounding alone may be seen.
    """
    subject = facts.subject
    other = {symbol: size + 1 for symbol, size in subject.spec.usual_sizes.items()}
    drawn: list[tuple[str, tuple[Tensor, ...], bool]] = [
        (f"seed {s}", subject.draw(seed=s), False) for s in range(SEEDS)
    ]
    drawn.append(("other sizes", subject.draw(other, seed=SEEDS), False))
    for what, factor in (("large", LARGE), ("small", SMALL), ("tiny", TINY)):
        scaled = _scaled(subject, subject.draw(seed=SEEDS + 1), factor)
        if scaled is not None and (what != "tiny" or "eps" in definition.numbers):
            drawn.append((what, scaled, False))
    if not facts.random:
        drawn.append(("training", subject.draw(seed=SEEDS + 2), True))
    for what, inputs, training in drawn:
        fed = tuple(t.double() if t.is_floating_point() else t for t in inputs)
        if definition.bits and len(fed) > 1:
            fed = (fed[0], as_bits(fed[1]), *fed[2:])
        try:
            with torch.no_grad():
                outputs = facts.evaluate(facts.state, fed, training=training)
        except Exception:  # sizes or values that it does not take
            continue
        if all(bool(value.isfinite().all()) for value in outputs.values()):
            yield Point(what, fed, outputs, training)


def as_bits(t: Tensor) -> Tensor:
    """1 where ``t`` is positive, or above 1/2 where all of it lies between 0 and 1, else 0."""
    inside = bool(((t >= 0) & (t <= 1)).all())
    return (t > (0.5 if inside else 0.0)).to(t) if t.is_floating_point() else t


def _scaled(subject: Subject, inputs: Sequence[Tensor], factor: float) -> tuple[Tensor, ...] | None:
    """``inputs`` times ``factor`` where they may have any real value, ``None`` where none of them may."""
    free = [
        str(entry.domain) == "real" and t.is_floating_point()
        for entry, t in zip(subject.spec.inputs, inputs, strict=True)
    ]
    if not any(free):
        return None
    return tuple(t * factor if scaled else t for t, scaled in zip(inputs, free, strict=True))


def _worst(facts: Facts, look: Look, points: Sequence[Point]) -> float:
    worst = 0.0
    for point in points:
        try:
            found = look.call(facts.state, point.inputs, point.training)
        except Exception:  # sizes that the definition was not built for
            continue
        apart = difference(point.outputs, found)
        worst = max(worst, float("inf") if apart is None else apart)
    return worst


def _related(facts: Facts, look: Look, points: Sequence[Point]) -> float:
    """The part of the outputs' spread that no multiple of the definition's outputs, plus a constant, explains."""
    ours, theirs = list[Tensor](), list[Tensor]()
    for point in points:
        found = look.call(facts.state, point.inputs, point.training) if point.what.startswith("seed") else {}
        for value in point.outputs.values():
            alike = [other for other in found.values() if other.shape == value.shape]
            ours += [value.flatten()] if alike else []
            theirs += [alike[0].flatten()] if alike else []
    if not ours:
        return float("inf")
    one, other = torch.cat(ours).double(), torch.cat(theirs).double()
    if one.numel() < 8 or not bool(other.isfinite().all()):
        return float("inf")
    one, other = one - one.mean(), other - other.mean()
    power = float(one @ one) * float(other @ other)
    return 1 - float(one @ other) ** 2 / power if power > 0 else float("inf")


def _undeviated(definition: Definition, look: Look, looker: Looker) -> Look | None:
    options = {
        name for name, values in definition.deviations.items()
        for v in values if v.phrase in look.candidate.deviations and look.candidate.reference.init.get(name) == v.value
    }  # fmt: skip
    init = {name: value for name, value in look.candidate.reference.init.items() if name not in options}
    plain = replace(look.candidate, reference=Reference(look.candidate.reference.target, init), deviations=())
    return looker.look(plain, exchange=False) or looker.look(plain)


def _ordered(subject: Subject) -> bool:
    """Whether names say which input is held against which."""
    aims = {"target", "targets", "label", "labels", "y_true", "true", "gt", "mask", "y"}
    return any(name in aims or name.endswith(("_true", "_gt")) for name in subject.input_names[1:])
