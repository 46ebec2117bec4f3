"""The module that the user wants the target compared with, and how its constructor is fed from the target's."""

import ast
import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from verifykit.errors import SpecError, did_you_mean
from verifykit.spec.building import cast_module, construct
from verifykit.spec.randomness import seeded
from verifykit.targets import Target, resolve


@dataclass(frozen=True)
class Reference:
    """A target together with its constructor arguments; ``assumed`` names those that nobody gave. It is fed with the
    inputs of what it is compared with, in ``order`` (positions among them) where that is not all of them as they come.
    """

    target: Target
    init: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.init.items())
        return f"{self.target.name}({arguments})"

    def build(self, dtype: torch.dtype, device: str, *, seed: int, training: bool = False) -> nn.Module:
        """Return a fresh module in ``dtype`` on ``device``.

        Raises:
            SpecError: its constructor raises.
        """
        with seeded(seed):
            return cast_module(construct(self.target, self.init), dtype, device).train(training)

    def call(self, module: nn.Module, inputs: Sequence[Any]) -> Any:
        """Call ``module`` with the target's inputs, by position."""
        return module(*self.arguments(inputs)[0])

    def arguments(self, inputs: Sequence[Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Return the target's inputs as positional and named arguments."""
        return ([inputs[position] for position in self.order] if self.order is not None else inputs), {}


def resolve_reference(text: str, init: Mapping[str, Any]) -> Reference:
    """Return the reference that ``text`` names: ``torch.nn:Linear``, or with arguments that are literals or names of
    the target's own constructor arguments, ``torch.nn:Threshold(threshold, 0.0)``.

    Without arguments they are taken from the target's ``init``: by name, and what is left over by position. A required
    number that is still missing is assumed to be 0.0.

    Raises:
        TargetError: nothing of that name.
        SpecError: the arguments are malformed.
    """
    name, parenthesis, _ = text.partition("(")
    target = resolve(name)
    if target.kind == "instance" or target.kind == "autograd.Function":
        return Reference(target)
    try:
        signature = _signature(target.obj)
    except (TypeError, ValueError):  # built into torch's C code: a function of its inputs
        return Reference(target)
    if parenthesis:
        return Reference(target, _given(text, signature, init))
    if target.kind == "function":
        return Reference(target, {n: v for n, v in init.items() if n in signature.parameters})
    if any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return Reference(target, init)
    return _matched(target, signature, init)


def _signature(obj: Any) -> inspect.Signature:
    """The signature of ``obj``; of a constructor that passes all on, as those of recurrent layers do, that of its first
    typing overload.
    """
    overloads = typing.get_overloads(vars(obj)["__init__"]) if isinstance(obj, type) and "__init__" in vars(obj) else ()
    if not overloads:
        return inspect.signature(obj)
    first = inspect.signature(overloads[0])
    return first.replace(parameters=[p for name, p in first.parameters.items() if name != "self"])


def _given(text: str, signature: inspect.Signature, init: Mapping[str, Any]) -> dict[str, Any]:
    name, _, _ = text.partition("(")
    try:
        call = ast.parse(f"f{text[len(name) :]}", mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError("no call")
        positional = [_value(node, init) for node in call.args]
        named = {str(keyword.arg): _value(keyword.value, init) for keyword in call.keywords}
        return dict(signature.bind(*positional, **named).arguments)
    except (SyntaxError, ValueError, TypeError) as error:
        raise SpecError(
            f"reference {text!r} is malformed ({error}): expected module:Attr or module:Attr(argument, …)."
        ) from error


def _value(node: ast.expr, init: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        if node.id not in init:
            raise ValueError(f"{node.id!r} is no constructor argument of the target{did_you_mean(node.id, init)}")
        return init[node.id]
    return ast.literal_eval(node)


def _matched(target: Target, signature: inspect.Signature, init: Mapping[str, Any]) -> Reference:
    usable = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    chosen = {p.name: init[p.name] for p in usable if p.name in init}
    spare = [value for name, value in init.items() if name not in chosen]
    missing = [p for p in usable if p.name not in chosen and p.default is p.empty]
    chosen |= {p.name: value for p, value in zip(missing, spare, strict=False)}
    assumed = tuple(p.name for p in missing[len(spare) :])
    chosen |= dict.fromkeys(assumed, 0.0)
    return Reference(target, {p.name: chosen[p.name] for p in usable if p.name in chosen}, assumed)
