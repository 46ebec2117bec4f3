"""Attention weights among what a forward computes: a softmax of products of queries and keys, that weighs values."""

from collections.abc import Container, Sequence
from enum import IntEnum

from verifykit.profiling.advice.calls import Call


class _Stage(IntEnum):
    """How far on its way to attention weights a tensor of all pairs is."""

    NONE = 0
    SCORES = 1
    EXPONENTIALS = 2
    WEIGHTS = 3


def has_attention_weights(
    calls: Sequence[Call], pairs: Container[int], scores: Container[int], uses: Container[int]
) -> bool:
    """Follow the tensors through ``calls`` and return whether a softmax, or exponentials and their sums, of products of
    all pairs goes into another product.

    The operators are given by their ``id``: ``pairs`` make a tensor of all pairs, ``scores`` are the products among
    them whose factors are no such tensors, and ``uses`` are products that take one and make none.
    """
    stages: dict[int, _Stage] = {}
    is_summed = are_exponentials_used = False
    for call in calls:
        stage = max((stages.get(id(t), _Stage.NONE) for t in call.given), default=_Stage.NONE)
        operators, names = {id(operator) for operator in call.operators}, {operator.name for operator in call.operators}
        if any(operator in uses for operator in operators):
            if stage is _Stage.WEIGHTS:
                return True
            are_exponentials_used |= stage is _Stage.EXPONENTIALS
        if any(operator in scores for operator in operators):
            stage = max(stage, _Stage.SCORES)
        is_summed |= stage is _Stage.EXPONENTIALS and "sum" in names
        is_summed |= stage is _Stage.SCORES and "logsumexp" in names
        if any(operator in pairs for operator in operators):
            stage = _after(stage, names)
        elif call.computing:  # reduced: pairs no longer
            continue
        changed = [t for t, one, other in zip(call.given, call.before, call.after, strict=True) if one != other]
        stages.update({id(t): stage for t in [*call.made, *changed]})
    return are_exponentials_used and is_summed


def _after(stage: _Stage, names: Container[str]) -> _Stage:
    if stage is _Stage.NONE:
        return stage
    if "_softmax" in names:
        return _Stage.WEIGHTS
    return max(stage, _Stage.EXPONENTIALS) if "exp" in names else stage
