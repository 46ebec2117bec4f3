"""Inputs that annotations of the jaxtyping kind describe: ``Float[Tensor, "batch in_features"]``."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from verifykit.errors import SpecError
from verifykit.spec.dims import Dim, parse_dim
from verifykit.spec.domain import any_of
from verifykit.spec.model import DType, InputSpec

_TEXT = re.compile(r"(?:\w+\.)*(?P<kind>[A-Z]\w*)\[\s*(?:\w+\.)*\w+\s*,\s*(['\"])(?P<dims>[^'\"]*)\2\s*\]")


def annotated_inputs(forward: Any, init: Mapping[str, Any], module: nn.Module) -> dict[str, InputSpec]:
    """Return the inputs whose annotation gives dtype and dimensions. A name that is an integer constructor argument
    stands for it, one that is an integer attribute of the module for its value, any other for a free size.
    """
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        return {}
    found = {}
    for parameter in parameters:
        described = _described(parameter.annotation)
        if described is not None:
            kind, text = described
            try:
                shape = tuple(_dims(text, init, module))
            except SpecError:
                continue
            dtype = _dtype(kind)
            found[parameter.name] = InputSpec(parameter.name, dtype, shape, any_of(dtype))
    return found


def _described(annotation: Any) -> tuple[str, str] | None:
    """The kind of number and the dimensions, of a jaxtyping class or of its source text."""
    if isinstance(annotation, str):
        matched = _TEXT.search(annotation)
        return (matched["kind"], matched["dims"]) if matched else None
    dims = getattr(annotation, "dim_str", None)
    if not isinstance(dims, str):
        return None
    return str(getattr(annotation, "__name__", "")).partition("[")[0], dims


def _dtype(kind: str) -> DType:
    if re.match(r"U?Int", kind):
        return "long"
    return "bool" if kind.startswith("Bool") else "complex" if kind.startswith("Complex") else "float"


def _dims(text: str, init: Mapping[str, Any], module: nn.Module) -> Iterator[Dim]:
    unnamed = iter("UVWXYZ")
    for token in text.split():
        bare = token.lstrip("#?").rpartition("=")[2]
        if bare == "..." or bare.startswith("*"):  # any number of dimensions: one, the batch
            yield "N"
        elif bare == "_":
            yield next(unnamed)
        elif bare.isidentifier() and type(init.get(bare)) is not int and type(getattr(module, bare, None)) is int:
            yield int(getattr(module, bare))
        else:
            yield parse_dim(bare)
