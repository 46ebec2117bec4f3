"""Infers what was not given of a spec: constructor arguments, then inputs, then which sizes are free."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from verifykit.errors import SpecError, one_line
from verifykit.spec.building import construct
from verifykit.spec.effort import effort
from verifykit.spec.inference.constructor import Constructed, constructions, optional_arguments
from verifykit.spec.inference.examples import Example, documented_examples, project_examples
from verifykit.spec.inference.feeding import fed
from verifykit.spec.inference.harmless import harmless
from verifykit.spec.inference.search import Exhausted
from verifykit.spec.inference.trying import quietly
from verifykit.spec.model import Spec
from verifykit.targets import Target

# Constructions of a target for which inputs are looked for, seconds for all of it, and arguments with a default that a
# complaint may ask for.
CONSTRUCTIONS, SECONDS, ROUNDS = 8, 8.0, 3


def completed(target: Target, given: Spec, seed: int = 0, seconds: float = SECONDS) -> Spec:
    """Return ``given`` with what is missing inferred in about so many seconds, every part with its source.

    Raises:
        SpecError: it says what could not be found out, what was tried last, what the module said, and what to give.
    """
    deadline = effort() + seconds
    best: Exhausted | None = None
    asked: list[str] = []
    with quietly(seed), harmless():
        uses = _uses(target)
        for _ in range(ROUNDS):
            for count, built in enumerate(_constructed(target, given.init, seed, asked, uses), 1):
                spec = fed(target, given, built, seed, deadline, [use for _, use in uses])
                if isinstance(spec, Spec):
                    return spec
                if best is None or (best.last is None and spec.last is not None):
                    best = spec
                if count >= CONSTRUCTIONS or effort() > deadline:
                    break
            # Its complaint may name an argument that has a default, and does not work without.
            more = optional_arguments(target, str(best and best.last), {*given.init, *asked})
            if not more or effort() > deadline:
                break
            asked += more
    raise SpecError(_unfed(target, best or Exhausted(0, "", None)))


def _uses(target: Target) -> list[tuple[str, Example]]:
    """How others use the target, the docstring's examples first."""
    if target.kind not in ("class", "factory"):
        return []
    told = chain(
        (("docstring", use) for use in documented_examples(target.obj)),
        (("usage", use) for use in project_examples(target.obj, Path.cwd())),
    )
    return [(source, use) for source, use in told if use.inputs or use.init]


def _constructed(
    target: Target, given: Mapping[str, Any], seed: int, asked: Sequence[str], uses: Sequence[tuple[str, Example]]
) -> Iterator[Constructed]:
    """Constructions from what annotations and names say; where those only guess, as others construct it first."""
    waiting = [*uses]
    try:
        for built in constructions(target, given, seed, asked):
            if waiting and {"search", "source"} & {*built.sources.values()}:
                yield from _as_used(target, given, seed, waiting)
                waiting = []
            yield built
    except SpecError:
        if not waiting:
            raise
    yield from _as_used(target, given, seed, waiting)


def _as_used(
    target: Target, given: Mapping[str, Any], seed: int, uses: Sequence[tuple[str, Example]]
) -> Iterator[Constructed]:
    for source, use in sorted(uses, key=lambda pair: not pair[1].inputs):
        init = {**use.init, **given}
        try:
            with quietly(seed):
                module = construct(target, init)
        except SpecError:
            continue
        sources = {f"init.{name}": source for name in use.init if name not in given}
        yield Constructed(init, sources, module, 1, use)


def _unfed(target: Target, exhausted: Exhausted) -> str:
    tried = f" First tried {exhausted.tried}" if exhausted.tried else ""
    told = f", which raised {one_line(exhausted.last)}." if exhausted.last else "."
    return (
        f"{target.name}: no inputs found that it accepts, in {exhausted.attempts} attempts.{tried}{told} "
        "Give --input 'NAME: float[N, 5]' for each forward argument."
    )
