"""A function of leaves that can be evaluated and pulled back any number of times with the same result."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from verifykit.spec.randomness import seeded

Tensors = list[Tensor]
Tangents = Sequence[Tensor | None]


@dataclass(frozen=True)
class Function:
    """``call`` maps a list of leaves, floating-point or complex tensors in double precision, to anything that holds
    tensors. ``names`` has one name per leaf. Random draws are the same in every evaluation: those of ``seed``.
    """

    call: Callable[[Tensors], Any]
    names: Sequence[str]
    seed: int = 0

    def __call__(self, leaves: Tensors) -> Tensors:
        """Return the floating-point and complex outputs, flat and detached."""
        with torch.no_grad():
            return [output.detach() for output in self.outputs(leaves)]

    def linearize(self, point: Tensors) -> "Linearization":
        """Run forward once with gradients on; whatever it raises passes through."""
        leaves = [leaf.detach().requires_grad_() for leaf in point]
        return Linearization(self.names, leaves, self.outputs(leaves))

    def outputs(self, leaves: Tensors) -> Tensors:
        """Return the floating-point and complex outputs, flat, with whatever graph the leaves ask for."""
        with seeded(self.seed):
            result = self.call(leaves)
        return [t for t in tree_leaves(result) if isinstance(t, Tensor) and (t.is_floating_point() or t.is_complex())]


@dataclass(frozen=True)
class Linearization:
    """A forward run with its graph: cotangents in, gradients out."""

    names: Sequence[str]
    leaves: Tensors
    outputs: Tensors

    @property
    def values(self) -> Tensors:
        """The outputs, detached."""
        return [output.detach() for output in self.outputs]

    def refuses(self) -> bool:
        """Whether the graph holds a node that raises when it is differentiated, as ``once_differentiable`` puts there.

        Autograd does not reach such a node by itself: it leads to no leaf.
        """
        waiting, seen = [output.grad_fn for output in self.outputs], set[Any]()
        while waiting:
            node = waiting.pop()
            if node is None or node in seen:
                continue
            if node.name().rpartition("::")[2] in ("DelayedError", "Error", "NotImplemented"):
                return True
            seen.add(node)
            waiting += [following for following, _ in node.next_functions]
        return False

    def vjp(self, cotangents: Tensors) -> list[Tensor | None]:
        """Return the gradient of ``sum(Re(conj(u) * f))`` for each leaf, ``None`` where autograd sees no dependence."""
        products = [(real(o) * real(u)).sum() for o, u in zip(self.outputs, cotangents, strict=True) if o.requires_grad]
        if not products:
            return [None] * len(self.leaves)
        # One scalar, since handing cotangents to autograd imports half a second of sympy the first time.
        total = torch.stack(products).sum()
        return list(torch.autograd.grad(total, self.leaves, retain_graph=True, allow_unused=True))


def inner(one: Tensors, other: Tensors) -> float:
    """Return the real inner product of two lists of tensors, a complex number counting as two reals."""
    return sum(float(torch.sum(real(a) * real(b))) for a, b in zip(one, other, strict=True))


def norm_of_product(one: Tensors, other: Tensors) -> float:
    """Return the root of the sum of squares of the element-wise products."""
    return math.sqrt(sum(float((real(a) * real(b)).square_().sum()) for a, b in zip(one, other, strict=True)))


def real(tensor: Tensor) -> Tensor:
    """Return ``tensor`` as reals: a complex one gets a trailing dimension of 2."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def random_signs(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return values of random sign and of magnitude uniform in [0.5, 1.5]: none so small that it goes unseen."""
    values = torch.rand(real(like).shape, generator=generator, dtype=torch.float64)
    values.sub_(0.5).mul_(2)
    values.add_(values.sign(), alpha=0.5)
    values = values.to(like.device)
    return torch.view_as_complex(values) if like.is_complex() else values
