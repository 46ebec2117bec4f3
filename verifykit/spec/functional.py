"""A module with its inputs as a pure function of leaves: the inputs that can be differentiated, and the parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from verifykit.spec.domain import OneOf
from verifykit.spec.subject import Subject


@dataclass(frozen=True)
class PureCall:
    """Maps leaves, in the order of ``names``, to what the module returns. Buffers are copied for each call, so running
    statistics never change.
    """

    subject: Subject
    module: nn.Module
    inputs: tuple[Tensor, ...]
    names: list[str]

    def __call__(self, leaves: Sequence[Tensor]) -> Any:
        given = {n: self._without_padding(n, leaf) for n, leaf in zip(self.names, leaves, strict=True)}
        inputs = [
            given.pop(name).clone() if name in given else value.clone()  # not itself a leaf: it may be written to
            for name, value in zip(self.subject.input_names, self.inputs, strict=True)
        ]
        state = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        positional, named = self.subject.arguments(inputs)
        parameters = {name.removeprefix("parameter "): leaf for name, leaf in given.items()}
        with self.subject.default(torch.float64):
            return functional_call(self.module, {**state, **parameters}, positional, named)

    def _without_padding(self, name: str, leaf: Tensor) -> Tensor:
        """The row of an embedding that pads stays: torch documents that it has no gradient."""
        owner, _, attribute = name.removeprefix("parameter ").rpartition(".")
        part = self.module.get_submodule(owner) if attribute == "weight" else None
        if not isinstance(part, nn.Embedding | nn.EmbeddingBag) or part.padding_idx is None:
            return leaf
        rows = torch.arange(len(leaf), device=leaf.device)[:, None]
        return torch.where(rows == part.padding_idx, part.weight.detach(), leaf)

    @property
    def point(self) -> list[Tensor]:
        """The leaves where the module and its inputs stand now."""
        inputs = dict(zip(self.subject.input_names, self.inputs, strict=True))
        parameters = dict(self.module.named_parameters())
        return [
            inputs[name] if name in inputs else parameters[name.removeprefix("parameter ")].detach()
            for name in self.names
        ]


def pure_call(subject: Subject, module: nn.Module, inputs: tuple[Tensor, ...]) -> PureCall:
    """Return ``module`` as a function of its floating-point inputs and of the parameters that require gradients. Inputs
    that take some numbers only are left out: nothing can be said of what lies between.

    A parameter that bears the name of an input is called ``parameter NAME``.
    """
    names = [
        entry.name
        for entry, value in zip(subject.spec.inputs, inputs, strict=True)
        if (value.is_floating_point() or value.is_complex()) and not isinstance(entry.domain, OneOf)
    ]
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            names.append(f"parameter {name}" if name in subject.input_names else name)
    return PureCall(subject, module, inputs, names)
