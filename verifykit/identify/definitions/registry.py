"""All definitions."""

from verifykit.identify.definitions import (
    activations,
    attention,
    batch_normalisation,
    binary,
    classification,
    convolution,
    divergences,
    embeddings,
    focal,
    margins,
    normalisation,
    overlap,
    piecewise,
    pointwise,
    pooling,
    rearrangement,
    recurrent,
    regression,
    resampling,
    signs,
    similarity,
    softmaxes,
)
from verifykit.identify.definitions.definition import Definition

_FAMILIES = (
    activations,
    attention,
    batch_normalisation,
    binary,
    classification,
    convolution,
    divergences,
    embeddings,
    focal,
    margins,
    normalisation,
    overlap,
    piecewise,
    pointwise,
    pooling,
    rearrangement,
    recurrent,
    regression,
    resampling,
    signs,
    similarity,
    softmaxes,
)

DEFINITIONS: tuple[Definition, ...] = tuple(definition for family in _FAMILIES for definition in family.DEFINITIONS)
