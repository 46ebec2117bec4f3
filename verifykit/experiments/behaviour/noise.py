"""What a random layer does on average: its draws are replaced by their means, where they meet the data."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map

from verifykit.experiments.behaviour.state import same
from verifykit.results import Location
from verifykit.tracing import user_line


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DRAWING = _words(
    "rand randn randint randperm rand_like randn_like randint_like bernoulli bernoulli_ uniform_ normal_ normal "
    "exponential_ geometric_ cauchy_ log_normal_ random_ multinomial poisson"
)
# Their output takes shape, dtype and device from the argument, and no value.
_SHAPED = _words(
    "rand_like randn_like randint_like empty_like zeros_like ones_like full_like new_empty new_zeros new_ones new_full "
    "new_tensor size"
)
_DROPOUT = _words(
    "dropout dropout_ dropout1d dropout2d dropout3d alpha_dropout alpha_dropout_ feature_dropout feature_dropout_ "
    "feature_alpha_dropout feature_alpha_dropout_"
)
_LEAVING = _words("item tolist numpy __bool__ __float__ __int__ __index__ __array__")
# Calls, each under another seed, that give the same where nothing is drawn.
SEEDS = 8


class Unresolved(Exception):
    """Randomness that cannot be averaged: it decides a branch, picks elements, or follows the data."""


@dataclass
class Meeting:
    """Where a random tensor meets the data: every value it had there, and the user's line."""

    location: Location | None
    values: list[Tensor] = field(default_factory=list)

    def mean(self, part: slice = slice(None)) -> Tensor:
        """Its mean over the draws: of each element, or one number where the elements differ by chance only."""
        stack = torch.stack(self.values[part]).double()
        means = stack.mean(0)
        chance = float(stack.var(0).mean()) / len(stack) if len(stack) > 1 else 0.0
        pooled = means.numel() < 2 or float(means.var()) <= 3 * chance + 1e-24
        return means.mean().expand_as(means) if pooled else means


class _Averaged(TorchFunctionMode):
    """Notes what random tensors are where they meet the data, or puts ``means`` in their place."""

    def __init__(self, data: Iterable[Tensor], meetings: list[Meeting], means: Sequence[Tensor] | None) -> None:
        super().__init__()
        self.data = {id(t): t for t in data}
        self.noise: dict[int, Tensor] = {}
        self.meetings = meetings
        self.means = means
        self.at = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = (resolve_name(func) or getattr(func, "__name__", "?")).rpartition(".")[2]
        if name in _DROPOUT:
            return args[0]
        if kwargs.get("dropout_p"):
            kwargs = {**kwargs, "dropout_p": 0.0}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        noisy = [t for t in given if id(t) in self.noise]
        tainted = [t for t in given if id(t) in self.data] if name not in _SHAPED else []
        if name in DRAWING and tainted:
            raise Unresolved("a draw follows the data")
        if name in _LEAVING and noisy:
            raise Unresolved("a draw decides a branch")
        result = self._meet(func, name, args, kwargs, noisy) if noisy and tainted else func(*args, **kwargs)
        outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if name == "__setitem__":
            outputs.append(args[0])
        for output in outputs:
            if tainted:
                self.noise.pop(id(output), None)
                self.data[id(output)] = output
            elif name in DRAWING or noisy:
                self.noise[id(output)] = output
        return result

    def _meet(self, func: Callable[..., Any], name: str, args: Any, kwargs: Any, noisy: list[Tensor]) -> Any:
        means: dict[int, Tensor] = {}
        for tensor in {id(t): t for t in noisy}.values():
            if self.at == len(self.meetings):
                self.meetings.append(Meeting(user_line()))
            if self.means is None:
                self.meetings[self.at].values.append(tensor.detach().clone())
            elif self.at < len(self.means):
                means[id(tensor)] = self.means[self.at]
            self.at += 1
        if self.means is None:
            return func(*args, **kwargs)
        if any(t.dtype is torch.bool for t in noisy):
            return _blended(func, name, args, kwargs, means)

        def averaged(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor) or id(leaf) not in means:
                return leaf
            if not leaf.is_floating_point():
                raise Unresolved("a draw picks elements")
            return means[id(leaf)].to(leaf)

        return func(*tree_map(averaged, args), **tree_map(averaged, kwargs))


def _blended(func: Callable[..., Any], name: str, args: Any, kwargs: Any, means: dict[int, Tensor]) -> Any:
    """A mask that selects: both of its sides, weighted by how often each is taken."""
    if name in ("mul", "__mul__", "__rmul__"):
        one, other = args
        return means.get(id(one), one) * means.get(id(other), other)
    if name not in ("where", "masked_fill", "masked_fill_") or len(means) != 1:
        raise Unresolved("a draw picks elements")
    ((key, mean),) = means.items()

    def side(taken: bool) -> Any:
        def chosen(leaf: Any) -> Any:
            return torch.full_like(leaf, taken) if id(leaf) == key else leaf

        if name == "masked_fill_":
            return args[0].masked_fill(*tree_map(chosen, args[1:]), **tree_map(chosen, kwargs))
        return func(*tree_map(chosen, args), **tree_map(chosen, kwargs))

    blended = mean * side(True) + (1 - mean) * side(False)
    return args[0].copy_(blended) if name == "masked_fill_" else blended


def without_torch_dropout(module: nn.Module) -> nn.Module:
    """Switch off the dropout that torch's own layers do, whose mean is known to be right; return ``module``."""
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd | nn.RReLU):
            part.eval()
        elif type(part).__module__.startswith("torch.nn") and isinstance(getattr(part, "dropout", None), float):
            part.dropout = 0.0  # type: ignore[assignment]
    return module


@dataclass(frozen=True)
class Average:
    """Outputs where every random tensor has its mean over all draws, over the first half and over the second; those of
    one plain draw; and where draws met the data.
    """

    outputs: dict[str, Tensor]
    halves: tuple[dict[str, Tensor], dict[str, Tensor]]
    drawn: dict[str, Tensor]
    meetings: list[Meeting]


def on_average(call: Callable[[int], dict[str, Tensor]], data: Sequence[Tensor], draws: int) -> Average:
    """Return what ``call(seed)`` gives on average, where only ``data`` and what depends on it is no draw.

    Raises:
        Unresolved: its randomness cannot be averaged.
    """
    meetings: list[Meeting] = []
    drawn: dict[str, Tensor] = {}
    for seed in range(draws):
        first = drawn
        with _Averaged(data, meetings, None) as mode:
            drawn = call(seed)
        if mode.at != len(meetings):
            raise Unresolved("another number of draws meets the data from call to call")
        if not meetings and seed and any(n not in drawn or not same(t, drawn[n]) for n, t in first.items()):
            raise Unresolved(
                "it changes from call to call by draws that are not followed (Python's, NumPy's), or by state"
            )
        if not meetings and seed == SEEDS - 1:
            return Average(drawn, (drawn, drawn), drawn, [])
    results = []
    for part in (slice(None), slice(draws // 2), slice(draws // 2, None)):
        with _Averaged(data, meetings, [meeting.mean(part) for meeting in meetings]):
            results.append(call(0))
    return Average(results[0], (results[1], results[2]), drawn, meetings)
