"""A spec tied to live code: build a fresh module, draw inputs, call it."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import keystr, tree_flatten_with_path

from verifykit.config import Budgets
from verifykit.errors import SpecError, UserError, did_you_mean, one_line
from verifykit.results import Location
from verifykit.spec.building import cast_module, construct, is_unsized, raised_at
from verifykit.spec.model import Spec
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.sampling import sample
from verifykit.targets import Target, locate

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """A target with its spec. What it does is repeatable under ``seed`` and leaves global random state alone.

    ``reference`` is the module that the user wants it compared with, ``device`` where its tensors live. With
    ``default_follows`` torch's default dtype is the one at hand while it is built and called: for a module whose plain
    tensors, or layers made in forward, fit in no other way. ``budgets`` is what it may cost.
    """

    target: Target
    spec: Spec
    seed: int = 0
    device: str = "cpu"
    reference: Reference | None = None
    default_follows: bool = False
    budgets: Budgets = field(default_factory=Budgets)
    _shared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def build(self, dtype: torch.dtype = torch.float64, *, training: bool = False) -> nn.Module:
        """Return a fresh module whose floating-point parameters and buffers have ``dtype`` (complex ones its partner).

        Raises:
            SpecError: the constructor does not take these arguments, or raises.
        """
        with seeded(self.seed), self.default(dtype):
            module = cast_module(construct(self.target, self.spec.init), dtype, self.device).train(training)
            if is_unsized(module):
                with torch.no_grad():
                    self.call(module, self.draw(dtype=dtype))
            return module

    def draw(
        self, sizes: Mapping[str, int] | None = None, dtype: torch.dtype = torch.float64, *, seed: int = 0
    ) -> tuple[Tensor, ...]:
        """Return one tensor per input, in the order of the spec, at its usual sizes overridden by ``sizes``.

        The values depend on ``seed`` and the subject's own seed alone, and agree between dtypes up to rounding.
        """
        known = {**self.spec.bound, **self.spec.usual_sizes, **(sizes or {})}
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + seed)
        return tuple(
            sample(entry, self.spec.shape(entry, known), known, dtype, generator).to(self.device)
            for entry in self.spec.inputs
        )

    def call(self, module: nn.Module, inputs: Sequence[Any]) -> Any:
        """Call ``module`` with one value per input of the spec, by name where they are not its first arguments."""
        positional, named = self.arguments(inputs)
        with self.default(next((i.dtype for i in inputs if isinstance(i, Tensor) and i.is_floating_point()), None)):
            return module(*positional, **named)

    @contextmanager
    def default(self, dtype: torch.dtype | None) -> Iterator[None]:
        """Run the body with ``dtype`` as torch's default, where this subject asks for that."""
        before = torch.get_default_dtype()
        if self.default_follows and dtype is not None:
            torch.set_default_dtype(dtype)
        try:
            yield
        finally:
            if self.default_follows:
                torch.set_default_dtype(before)

    def arguments(self, inputs: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return one value per input of the spec as positional and named arguments of the module."""
        if self._by_name:
            return (), dict(zip(self.input_names, inputs, strict=True))
        return tuple(inputs), {}

    def once(self, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, made at most once for this subject: work that several checks share."""
        if key not in self._shared:
            self._shared[key] = make()
        value: T = self._shared[key]
        return value

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in the order in which :meth:`draw` returns them."""
        return [entry.name for entry in self.spec.inputs]

    @cached_property
    def elements(self) -> int:
        """How many elements its inputs, at the usual sizes, and its parameters have together."""
        return sum(t.numel() for t in [*self.draw(), *self.build().parameters()])

    @cached_property
    def forward_location(self) -> Location | None:
        """Where the code that computes the outputs begins: ``forward``, or the function itself."""
        return locate(self._forward) or self.target.location

    def try_once(self, dtype: torch.dtype = torch.float64) -> None:
        """Build and call at the usual sizes, so that what cannot work is refused before any check runs.

        Raises:
            SpecError: the constructor or the forward refuses, with its own message and line.
        """
        module, inputs = self.build(dtype), self.draw(dtype=dtype)
        try:
            with torch.no_grad(), seeded(self.seed):
                self.call(module, inputs)
        except UserError:
            raise
        except Exception as error:
            fed = ", ".join(f"{n}: {tuple(t.shape)}" for n, t in zip(self.input_names, inputs, strict=True))
            raise SpecError(
                f"{self.target.name} rejects its inputs ({fed}){raised_at(error)}: {one_line(error)}"
            ) from error

    @cached_property
    def _forward(self) -> Any:
        if self.target.kind == "function":
            return self.target.obj
        if self.target.kind == "autograd.Function":
            return self.target.obj.forward
        with seeded(self.seed):
            return type(construct(self.target, self.spec.init)).forward

    @cached_property
    def _by_name(self) -> bool:
        if self.target.kind == "autograd.Function":  # apply takes no keywords
            return False
        try:
            parameters = list(inspect.signature(self._forward).parameters.values())
        except (TypeError, ValueError):
            return False
        if any(p.kind in (p.VAR_POSITIONAL, p.POSITIONAL_ONLY) for p in parameters):
            return False
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            return True
        known = [p.name for p in parameters if p.name != "self"]
        named_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        if self.input_names == known[: len(self.input_names)] and not {*named_only} & {*self.input_names}:
            return False  # as people call it
        for name in self.input_names:
            if name not in known:
                raise SpecError(
                    f"{self.target.name} has no forward argument {name!r}: it takes {', '.join(known) or 'none'}."
                    f"{did_you_mean(name, known)}"
                )
        return True


def named_tensors(output: Any) -> dict[str, Tensor]:
    """Return the tensors in ``output``, however nested, by where they stand in it: ``output``, ``output[0]``, …"""
    leaves, _ = tree_flatten_with_path(output)
    return {f"output{keystr(path)}": leaf for path, leaf in leaves if isinstance(leaf, Tensor)}
