"""One pass forward and backward as plain data, to be held against the same pass made in another way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from verifykit.comparison import Difference, rounding_tolerance, worst_difference
from verifykit.gradients.function import random_signs, real
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors

Call = Callable[[nn.Module, Sequence[Tensor]], Any]
Tensors = Mapping[str, Tensor]

NOT_REPEATED = "two runs of fresh modules under one seed differ, so other ways of running it cannot be told from chance"


@dataclass(frozen=True)
class Pass:
    """Outputs by place, and the gradients by leaf where there are any; ``functions`` are the hand-written autograd
    Functions on the way.
    """

    outputs: Tensors
    gradients: Tensors
    functions: list[type[torch.autograd.Function]] = field(default_factory=list)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All of them, by a name that says which is which."""
        return {**self.outputs, **{f"the gradient of {name}": g for name, g in self.gradients.items()}}


def run_pass(
    subject: Subject, module: nn.Module, inputs: Sequence[Tensor], call: Call | None = None, *, seed: int = 0
) -> Pass:
    """Run ``module`` forward on copies of ``inputs`` and backward from fixed cotangents. ``call`` is how it is called
    where that is not ``subject.call``; random draws are those of ``seed``. What it raises passes through.

    The inputs are no leaves when they get there, so that a module may write to them.
    """
    leaves = leaves_of(subject, module, inputs)
    fed = [leaves.get(name, tensor).clone() for name, tensor in zip(subject.input_names, inputs, strict=True)]
    with seeded(seed):
        result = (call or subject.call)(module, fed)
        outputs = {name: tensor.detach().clone() for name, tensor in named_tensors(result).items()}
        total = against(result, cotangents_of(result, subject.seed))
        functions = functions_before(total)
        found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True) if total.requires_grad else ()
    gradients = {name: _dense(g).detach().clone() for name, g in zip(leaves, found, strict=False) if g is not None}
    return Pass(outputs, gradients, functions)


def leaves_of(subject: Subject, module: nn.Module, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the tensors to differentiate by: copies of the inputs that can be, and the parameters themselves."""
    given = {
        name: tensor.clone().requires_grad_()
        for name, tensor in zip(subject.input_names, inputs, strict=True)
        if tensor.is_floating_point() or tensor.is_complex()
    }
    own = {name: p for name, p in module.named_parameters() if p.requires_grad}
    return given | {(f"parameter {name}" if name in subject.input_names else name): p for name, p in own.items()}


def _dense(tensor: Tensor) -> Tensor:
    """A sparse gradient, as embeddings may have it, as a plain one."""
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def cotangents_of(result: Any, seed: int) -> list[Tensor]:
    """Return a cotangent drawn by ``seed`` for all that can be differentiated in ``result``."""
    generator = torch.Generator().manual_seed(seed)
    return [random_signs(output.detach(), generator) for output in _differentiable(result)]


def against(result: Any, cotangents: Sequence[Tensor]) -> Tensor:
    """Return the inner product of all that can be differentiated in ``result`` with ``cotangents``."""
    pairs = zip(_differentiable(result), cotangents, strict=True)
    return sum(((real(o) * real(u)).sum().double() for o, u in pairs), torch.zeros((), dtype=torch.float64))


def _differentiable(result: Any) -> list[Tensor]:
    tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
    return [tensor for tensor in tensors if tensor.is_floating_point() or tensor.is_complex()]


def functions_before(output: Tensor) -> list[type[torch.autograd.Function]]:
    """Return the hand-written autograd Functions in the graph of ``output``, nearest first."""
    waiting, seen, found = [output.grad_fn], set[Any](), dict[type[torch.autograd.Function], None]()
    while waiting:
        node = waiting.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "_forward_cls"):
            found[node._forward_cls] = None
        waiting += [following for following, _ in node.next_functions]
    return list(found)


def rounding_of(subject: Subject, *, training: bool = False) -> dict[str, float]:
    """Return what each tensor of a pass in double precision may differ by where all is well: see
    :func:`~verifykit.comparison.rounding_tolerance`, with one unit of rounding of the greatest of all gradients on top,
    of which a gradient that cancels out is what is left. Computed once for a subject.
    """

    def compute() -> dict[str, float]:
        double, single = (
            run_pass(subject, subject.build(dtype, training=training), subject.draw(dtype=dtype)).tensors
            for dtype in (torch.float64, torch.float32)
        )
        return {
            name: tolerance_of(one, single.get(name), double.values())
            for name, one in double.items()
            if one.is_floating_point() or one.is_complex()
        }

    return subject.once(f"rounding of a pass {training}", compute)


def tolerance_of(double: Tensor, single: Tensor | None, among: Any) -> float:
    """Return the tolerance for one tensor that was also computed in single precision, beside those ``among`` which it
    was computed.
    """
    fits = single is not None and single.shape == double.shape
    own = rounding_tolerance(double, single if fits and single is not None else double, torch.float64)
    sizes = [float(t.abs().max()) for t in among if t.numel() and (t.is_floating_point() or t.is_complex())]
    greatest = max((size for size in sizes if size < float("inf")), default=0.0)
    return own + torch.finfo(torch.float64).eps * greatest


def repeats(subject: Subject) -> bool:
    """Whether two passes of fresh modules under one seed agree; where not, no comparison of passes means anything."""
    one, other = (run_pass(subject, subject.build(), subject.draw()) for _ in range(2))
    worst = worst_of(one.tensors, other.tensors, rounding_of(subject))
    return worst is None or worst[1].excess <= 1


def worst_of(found: Tensors, expected: Tensors, tolerances: Mapping[str, float]) -> tuple[str, Difference] | None:
    """Return the tensor that exceeds its tolerance the most, with the element; ``None`` where there is nothing to
    compare. Integers and booleans have tolerance 0; a missing gradient counts as zeros.
    """
    worst: tuple[str, Difference] | None = None
    for name in dict.fromkeys([*expected, *found]):
        one, other = found.get(name), expected.get(name)
        one = torch.zeros_like(other) if one is None and other is not None else one
        other = torch.zeros_like(one) if other is None and one is not None else other
        if one is None or other is None or one.shape != other.shape:
            continue
        difference = worst_difference(one, other, tolerances.get(name, 0.0))
        if difference is not None and (worst is None or difference.excess > worst[1].excess):
            worst = name, difference
    return worst


def evidence_of(name: str, difference: Difference, found: str, expected: str) -> dict[str, Any]:
    """Return the numbers that show the difference, ``found`` and ``expected`` being the two ways of computing."""
    return {
        "tensor": name,
        "element": list(difference.index),
        found: difference.actual,
        expected: difference.expected,
        "difference": difference.error,
        "tolerance": difference.tolerance,
    }
