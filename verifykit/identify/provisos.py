"""What an equality depends on beside inputs and parameters: buffers that stay as they start, eval mode, the number of
dimensions.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.experiments.observation import outputs_of
from verifykit.identify.candidate import Match
from verifykit.identify.facts import Facts, State
from verifykit.identify.spot import agrees


def provisos(facts: Facts, match: Match) -> Iterator[str]:
    """Yield on what it depends that ``match`` holds, in phrases that complete "identical up to …"."""
    if not _trains(facts):
        yield "its training mode, in which it does not take these inputs"
    for name, buffer in facts.module.named_buffers():
        changed = _changed(buffer) if name not in facts.running else None
        if changed is not None and _depends(facts, match, {**facts.state, name: changed}):
            yield f"its buffer {name}, which is {buffer.flatten()[0].item():g} throughout as it starts"


def holds_for_more_dimensions(facts: Facts, match: Match) -> bool:
    """Return whether the two agree where every input has one dimension more behind the first, as far as both take
    that: an operation on the last dimension is not one on the second.
    """
    if not all(entry.shape and entry.dtype == "float" for entry in facts.subject.spec.inputs):
        return True
    inputs = [torch.stack([value, value.flip(0) * 0.5], 1) for value in facts.inputs]
    try:
        return agrees(facts, match, outputs_of(facts.subject, facts.module, inputs), inputs)
    except Exception:  # one of them takes so many dimensions and no others
        return True


def _trains(facts: Facts) -> bool:
    try:
        with torch.no_grad():
            facts.evaluate(facts.state, facts.inputs, training=True)
    except Exception:
        return False
    return True


def _changed(buffer: Tensor) -> Tensor | None:
    """Another value of a buffer that starts as one number throughout; ``None`` for others: tables are what they are."""
    if buffer.numel() == 0 or buffer.is_complex() or not bool((buffer == buffer.flatten()[0]).all()):
        return None
    if buffer.dtype == torch.bool:
        return torch.arange(buffer.numel()).reshape(buffer.shape) % 2 == 0
    if not buffer.is_floating_point():
        return None
    noise = torch.rand(buffer.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return buffer + (0.25 + noise).to(buffer)


def _depends(facts: Facts, match: Match, state: State) -> bool:
    """Whether the two agree no more in ``state``."""
    try:
        with torch.no_grad():
            ours = facts.evaluate(state, facts.inputs)
        return not agrees(facts, match, ours, facts.inputs, state=state)
    except Exception:  # a value that it does not take
        return False
