"""What a loss is made of: a sparse sum of known terms, found by regression and confirmed where it was not fitted."""

from verifykit.identify.losses.decompose import decompose

__all__ = ["decompose"]
