"""Whether what a factory makes has the state of the audited module, and takes its inputs and returns its shapes."""

import copy
import itertools
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.identify.catalogue.factory import Factory
from verifykit.identify.facts import Facts
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import named_tensors

# The shape of a tensor and what kind of numbers it holds.
Kind = tuple[tuple[int, ...], str]

# Beyond this many inputs their order is taken as it is.
_MOST_ORDERS = 3

# Numbers that may be made however small the module is.
_ROOM = 100_000

# What may hold or return more numbers than this is made without memory first; what returns so many is not made at all.
_LARGE, _MOST_RETURNED = 100_000, 50_000_000

# Why something does not fit though it takes the inputs.
SHAPES, KINDS, RANDOM = "other shapes", "numbers of another kind", "random or not"


class Fitting:
    """What candidates for ``facts`` have to fit. ``amounts`` are the numbers that it may hold: those that training
    changes, with its constants or without; ``reduced`` the same without some of its vectors. ``scalars``: no tensor
    that training changes has more than one number. More than ``vast`` numbers cannot be meant.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        changing = {*facts.parameters, *facts.running}
        held = [facts.state[name] for name in facts.state if name in changing]
        constant = [t for name, t in facts.state.items() if name not in changing and t.is_floating_point()]
        self.amount = sum(tensor.numel() for tensor in held)
        self.scalars = all(tensor.numel() == 1 for tensor in held)
        self.amounts = {self.amount + extra for extra in _sums(tensor.numel() for tensor in constant)}
        vectors = _sums(tensor.numel() for tensor in held if _is_vector(tensor))
        self.reduced = {amount - missing for amount in self.amounts for missing in vectors} - {0}
        self.returns = Counter(map(_kind, facts.outputs.values()))
        self.stateless = self.amounts == {0}
        self.spatial = max([1, *(tensor.ndim - 2 for tensor in facts.inputs)])
        numels = [tensor.numel() for tensor in (*facts.inputs, *facts.outputs.values())]
        self.vast = 64 * max(self.amounts) + 16 * max(numels) + _ROOM
        self.combined = math.prod(tensor.numel() for tensor in facts.inputs)
        self._kinds = {kind for _, kind in self.returns}
        self.orders = _orders(facts.inputs)

    def build(self, factory: Factory, arguments: Mapping[str, Any]) -> nn.Module | None:
        """Return the module that ``factory`` makes with ``arguments``, in float64; ``None`` where it refuses them, or
        where they would take memory that cannot be meant. A large one is made of shapes alone.
        """
        size = self._size(factory, arguments)
        return None if size > self.vast else _built(factory, arguments, "meta" if size > _LARGE else "cpu")

    def call(self, factory: Factory, arguments: Mapping[str, Any]) -> Callable[..., Any] | None:
        """Return what takes the inputs: the module built, or the function with ``arguments``. ``None`` as of ``build``,
        and where it would return what memory cannot be meant for.
        """
        size = self._size(factory, arguments)
        window = "kernel_size" in arguments  # what is said of how it moves makes no more of it
        told = {n: v for n, v in arguments.items() if not (window and n in ("stride", "dilation", "padding"))}
        returned = self._size(factory, told) * self.combined
        if size > self.vast or (returned > _MOST_RETURNED and self._returns_vast(factory, arguments, size)):
            return None
        return _made(factory, arguments, "cpu")

    def _returns_vast(self, factory: Factory, arguments: Mapping[str, Any], size: float) -> bool:
        """Whether it returns, or holds, more numbers than can be meant: found out without memory."""
        call = _made(factory, arguments, "meta")
        if call is None:
            return False
        held = self.amount_of(call) if isinstance(call, nn.Module) else 0
        try:
            returned = named_tensors(call(*(tensor.to("meta") for tensor in self.facts.inputs)))
        except NotImplementedError:  # nothing tells without the values
            return size > _LARGE
        except Exception:  # it takes other inputs, and is refused for that
            return False
        return held + sum(tensor.numel() for tensor in returned.values()) > max(_MOST_RETURNED, 4 * self.amount)

    def _size(self, factory: Factory, arguments: Mapping[str, Any]) -> float:
        """What the sizes among ``arguments`` multiply to, one for several dimensions in each of them."""
        several = {a.name for a in factory.arguments if a.several or a.untold or a.name in ("size", "scale_factor")}
        spatial = factory.spatial or self.spatial
        size = 1.0
        for name, value in arguments.items():
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, int | float) and abs(item) > 1:
                    size *= min(abs(item), 1e6) ** (spatial if name in several and item is value else 1)
        return size

    @staticmethod
    def amount_of(module: nn.Module) -> int:
        """Return how many numbers ``module`` holds as parameters and buffers."""
        return sum(tensor.numel() for tensor in _held(module))

    def surplus(self, module: nn.Module) -> int:
        """Return how many numbers more than the audited one ``module`` holds, 0 where it may be as many."""
        amount = self.amount_of(module)
        return 0 if amount in self.amounts else amount - self.amount

    def holds(self, module: nn.Module) -> bool:
        """Whether ``module`` may have the state of the audited one: as many numbers but for vectors that one of them
        lacks, as a bias that is absent or fused.
        """
        amount = self.amount_of(module)
        if amount == 0:
            return self.scalars
        if amount in self.reduced:
            return True
        fewer = _sums(tensor.numel() for tensor in _held(module) if _is_vector(tensor))
        return not self.stateless and any(amount - missing in self.amounts for missing in fewer)

    def refusal(self, call: Callable[..., Any]) -> str:
        """Return why ``call`` cannot be the audited module, nothing where it may: it takes the inputs, in some order,
        returns tensors of the shapes of the outputs, and draws random numbers, in training mode, just where that does.

        Refusals that no other argument would mend read alike.
        """
        reason = ""
        for order in self.orders:
            state = torch.get_rng_state()
            try:
                # Of large inputs it may make very many numbers, or take very long: its shapes are asked for first.
                found = self._kinds_without_memory(call, order) if self.combined > _MOST_RETURNED else None
                if found is None or self.returns <= found:
                    found = _kinds_of(call(*(self.facts.inputs[at] for at in order)))
            except Exception as error:  # it takes other inputs
                reason = reason or re.sub(r"\d+", "", f"{type(error).__name__}: {error}")
                continue
            if not self.returns <= found:
                reason = SHAPES if self._kinds <= {kind for _, kind in found} else KINDS
            elif torch.equal(state, torch.get_rng_state()) == self.facts.random:
                reason = RANDOM
            else:
                return ""
        return reason

    def _kinds_without_memory(self, call: Callable[..., Any], order: Sequence[int]) -> Counter[Kind] | None:
        """What ``call`` returns, ``None`` where only the values tell."""
        shapes = copy.deepcopy(call).to("meta") if isinstance(call, nn.Module) else call
        try:
            return _kinds_of(shapes(*(self.facts.inputs[at].to("meta") for at in order)))
        except NotImplementedError:
            return None


def _made(factory: Factory, arguments: Mapping[str, Any], device: str) -> Callable[..., Any] | None:
    return _built(factory, arguments, device) if factory.is_class else partial(factory.target.obj, **arguments)


def _built(factory: Factory, arguments: Mapping[str, Any], device: str) -> nn.Module | None:
    """The module in float64 on ``device``, ``None`` where it refuses the arguments."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device(device) if device != "cpu" else nullcontext():
            module: nn.Module = factory.target.obj(**arguments)
        return module
    except Exception:  # whatever it is that it does not like
        return None
    finally:
        torch.set_default_dtype(before)


@contextmanager
def quietly() -> Iterator[None]:
    """Run the body without a graph, without warnings, and leave random numbers as they were."""
    with torch.no_grad(), warnings.catch_warnings(), seeded(0):
        warnings.simplefilter("ignore")
        yield


def _held(module: nn.Module) -> list[Tensor]:
    return [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]


def _kinds_of(returned: Any) -> Counter[Kind]:
    return Counter(map(_kind, named_tensors(returned).values()))


def _kind(tensor: Tensor) -> Kind:
    kind = "float" if tensor.is_floating_point() else "complex" if tensor.is_complex() else "integer"
    return tuple(tensor.shape), kind


def _is_vector(tensor: Tensor) -> bool:
    return sum(size != 1 for size in tensor.shape) <= 1


def _sums(sizes: Iterable[int]) -> set[int]:
    """The sums of all subsets of ``sizes``, nothing among them; of the first sixteen at most."""
    sums = {0}
    for size in itertools.islice(sizes, 16):
        sums |= {size + other for other in sums}
    return sums


def _orders(inputs: Sequence[Tensor]) -> list[tuple[int, ...]]:
    """The orders of ``inputs`` that differ in shapes or dtypes, as given first."""
    kinds = [(tuple(tensor.shape), tensor.dtype) for tensor in inputs]
    if len(inputs) > _MOST_ORDERS:
        return [tuple(range(len(inputs)))]
    seen: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for order in itertools.permutations(range(len(inputs))):
        seen.setdefault(tuple(kinds[at] for at in order), order)
    return list(seen.values())
