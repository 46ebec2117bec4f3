"""Whether a match holds at one more spot: other inputs, another state, or its candidate made for another size."""

from collections.abc import Sequence

import torch
from torch import Tensor

from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts, State
from verifykit.identify.screening import evaluate, related
from verifykit.spec.reference import Reference

ROUNDING = 1e-9


def agrees(
    facts: Facts,
    match: Match,
    ours: dict[str, Tensor],
    inputs: Sequence[Tensor],
    *,
    state: State | None = None,
    reference: Reference | None = None,
) -> bool:
    """Return whether the candidate gives ``ours``, what the target gives for ``inputs``, with the target's ``state``,
    that of the facts unless told otherwise, and built by ``reference``, its own unless told otherwise. What the
    candidate raises passes through.
    """
    made = (reference or match.candidate.reference).build(torch.float64, facts.subject.device, seed=facts.subject.seed)
    fed = [inputs[position] for position in match.order]
    theirs = evaluate(match.candidate, made, match.arrangement, state or facts.state, fed)
    pairs = [(ours[place], match.scale * theirs[other] + match.offset) for place, other in match.outputs.items()]
    if any(one.shape != other.shape for one, other in pairs):
        return False
    scale, offset, left = related(pairs)
    return left <= ROUNDING and (scale, offset) == (1.0, 0.0)
