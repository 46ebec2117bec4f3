"""Definitions are what torch has under their names, and every deviation makes another function of them."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from verifykit.identify.definitions import (
    activations,
    attention,
    binary,
    classification,
    divergences,
    focal,
    margins,
    normalisation,
    piecewise,
    regression,
    similarity,
    softmaxes,
)
from verifykit.identify.definitions.definition import Definition
from verifykit.identify.definitions.registry import DEFINITIONS

X, Y, Z = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
CLASSES = torch.tensor([0, 3, 1, 5, 2])
BITS = (Y > 0).double()
SIGNS = torch.tensor([1.0, -1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
CASES: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...], Tensor]] = {
    "gelu": (activations.gelu, (X,), F.gelu(X)),
    "silu": (activations.silu, (X,), F.silu(X)),
    "mish": (activations.mish, (X,), F.mish(X)),
    "elu": (activations.elu, (X,), F.elu(X)),
    "celu": (activations.celu, (X,), F.celu(X)),
    "selu": (activations.selu, (X,), F.selu(X)),
    "leaky": (piecewise.leaky_relu, (X,), F.leaky_relu(X)),
    "hardswish": (piecewise.hardswish, (X,), F.hardswish(X)),
    "glu": (piecewise.glu, (X,), F.glu(X)),
    "softmax": (softmaxes.softmax, (X,), X.softmax(-1)),
    "log-softmax": (softmaxes.log_softmax, (X,), X.log_softmax(-1)),
    "huber": (regression.huber, (X, Y), F.huber_loss(X, Y)),
    "smooth l1": (regression.smooth_l1, (X, Y), F.smooth_l1_loss(X, Y)),
    "cross entropy": (classification.cross_entropy, (X, CLASSES), F.cross_entropy(X, CLASSES)),
    "bce": (binary.with_logits, (X, BITS), F.binary_cross_entropy_with_logits(X, BITS)),
    "focal of no focus": (lambda x, t: focal.focal(x, t, gamma=0.0), (X, CLASSES), F.cross_entropy(X, CLASSES)),
    "kl": (
        divergences.kl,
        (X.log_softmax(-1), Y.softmax(-1)),
        F.kl_div(X.log_softmax(-1), Y.softmax(-1), reduction="batchmean"),
    ),
    "gaussian": (divergences.gaussian_nll, (X, Y, Z.exp()), F.gaussian_nll_loss(X, Y, Z.exp())),
    "triplet": (margins.triplet, (X, Y, Z), F.triplet_margin_loss(X, Y, Z)),
    "cosine": (similarity.cosine_similarity, (X, Y), F.cosine_similarity(X, Y, dim=-1)),
    "cosine embedding": (similarity.cosine_embedding, (X, Y, SIGNS), F.cosine_embedding_loss(X, Y, SIGNS)),
    "distance": (similarity.pairwise_distance, (X, Y), F.pairwise_distance(X, Y)),
    "normalize": (similarity.normalize, (X,), F.normalize(X)),
    "attention": (
        attention.scaled_dot_product,
        (X[None], Y[None], Z[None]),
        F.scaled_dot_product_attention(X[None], Y[None], Z[None]),
    ),
}


@pytest.mark.parametrize(("define", "inputs", "expected"), CASES.values(), ids=CASES.keys())
def test_a_definition_is_what_torch_has(define: Any, inputs: tuple[Tensor, ...], expected: Tensor) -> None:
    torch.testing.assert_close(define(*inputs), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.operation)
def test_every_option_is_an_argument_and_every_phrase_says_something(definition: Definition) -> None:
    names = inspect.signature(definition.make).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in names.values())
    for name in (*definition.numbers, *definition.conventions, *definition.deviations):
        assert name in names or open_ended, name
    for variants in definition.deviations.values():
        for variant in variants:
            assert len(variant.phrase) > 8
            assert not variant.phrase.endswith(".")
    assert definition.source
    assert all(name == name.lower() and name.isalnum() for name in definition.names)


@pytest.mark.parametrize("option", ["variance", "eps_place", "divisor", "centred", "subtracted", "over", "order"])
def test_every_deviation_of_layer_norm_makes_another_function(option: str) -> None:
    definition = next(d for d in normalisation.DEFINITIONS if d.operation == "layer normalisation")
    plain = _norm(definition)
    for variant in definition.deviations[option]:
        assert not torch.allclose(_norm(definition, **{option: variant.value})(X[None]), plain(X[None]), rtol=1e-9), (
            variant.phrase
        )


def _norm(definition: Definition, **options: Any) -> nn.Module:
    module: nn.Module = definition.make((6,), eps=0.01, **options).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.linspace(0.5, 2.0, 6))
    return module
