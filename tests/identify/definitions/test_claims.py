"""What a name or a first sentence claims."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from verifykit.identify.claims import claimed
from verifykit.spec.subject import Subject


def _claims(name: str, docstring: str = "") -> set[str]:
    thing = type(name, (), {"__doc__": docstring})
    target = SimpleNamespace(label=name, obj=thing, kind="class")
    subject: Any = SimpleNamespace(target=target, once=lambda key, make: make())
    return {definition.operation for definition in claimed(cast(Subject, subject))}


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("LayerNorm", "layer normalisation"),
        ("MyGELU", "GELU"),
        ("FocalLoss", "focal loss"),
        ("CustomRMSNorm", "root mean square normalisation"),
        ("HuberLoss", "Huber loss"),
        ("BCE", "binary cross entropy"),
        ("SoftDiceLoss", "Dice loss"),
        ("CausalSelfAttention", "multi-head attention"),
        ("Conv2d", "2d convolution"),
        ("layer_norm", "layer normalisation"),
        ("SmoothL1Loss", "smooth L1 loss"),
        ("ReLU6", "ReLU6"),
    ],
)
def test_names(name: str, operation: str) -> None:
    assert operation in _claims(name)


@pytest.mark.parametrize(
    "name",
    ["AdaptiveLayerNorm", "ConditionalBatchNorm", "SparseAttention", "LinearAttention", "QuickGELU", "LayerNorm2d",
     "FocalTverskyLoss", "Encoder", "GeneralizedDiceLoss"],
)  # fmt: skip
def test_qualified_names_claim_something_else(name: str) -> None:
    assert not _claims(name)


@pytest.mark.parametrize(
    ("docstring", "operation"),
    [
        ("Layer normalisation over the last dimension.", "layer normalisation"),
        ("The Huber loss with delta as its threshold.", "Huber loss"),
        ("Implements focal loss for several classes.\n\nMore.", "focal loss"),
        ("Multi-head self-attention.", "multi-head attention"),
    ],
)
def test_docstrings(docstring: str, operation: str) -> None:
    assert operation in _claims("Thing", docstring)


@pytest.mark.parametrize(
    "docstring",
    ["A block that uses attention.", "Like LayerNorm but without the mean.", "Layer normalisation and a gate.",
     "Approximates GELU.", "A variant of focal loss.", "GELU-like activation.", ""],
)  # fmt: skip
def test_a_mention_is_no_claim(docstring: str) -> None:
    assert not _claims("Thing", docstring)
