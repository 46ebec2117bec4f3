"""gradient: autograd's gradients agree with numerical ones."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError
from torch.func import functional_call

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import locate
from verifykit.tracing import custom_functions, where_gradient_stops

EPS, ATOL, RTOL = 1e-6, 1e-5, 1e-3


@check("gradient", family="gradient")
def gradient(subject: Subject) -> Iterator[Finding | Verified]:
    """Gradients with respect to every input and parameter agree with numerical differentiation.

    What:
        Compares the Jacobian that autograd computes with central differences, in double precision, for every
        floating-point input and every parameter in turn.

    Why it matters:
        A wrong gradient rarely raises anything: training goes on, and ends somewhere worse.

    Wrong:
        @staticmethod
        def backward(ctx, grad_output):
            x, weight = ctx.saved_tensors
            return grad_output @ weight, 2 * grad_output.T @ x

    Right:
        @staticmethod
        def backward(ctx, grad_output):
            x, weight = ctx.saved_tensors
            return grad_output @ weight, grad_output.T @ x

    When to ignore:
        When the gradient is meant to differ: straight-through estimators, gradient reversal, stop-gradient.
    """
    module = subject.build()
    inputs = dict(zip(subject.input_names, subject.draw(), strict=True))
    leaves = {name: t for name, t in inputs.items() if t.is_floating_point() or t.is_complex()}
    leaves |= {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    if not leaves:
        raise Skip("no input and no parameter is of a floating-point dtype")
    compared = 0
    for name, values in leaves.items():
        leaf = values.clone().requires_grad_()

        def outputs(leaf: Tensor, name: str = name) -> tuple[Tensor, ...]:
            fed = tuple(leaf if other == name else t.clone() for other, t in inputs.items())
            replaced = {} if name in inputs else {name: leaf}
            with seeded(subject.seed):
                result = functional_call(_Bound(module, subject), {f"module.{k}": v for k, v in replaced.items()}, fed)
            return tuple(t for t in named_tensors(result).values() if t.is_floating_point() or t.is_complex())

        try:
            torch.autograd.gradcheck(outputs, (leaf,), eps=EPS, atol=ATOL, rtol=RTOL, check_undefined_grad=False)
        except GradcheckError as error:
            evidence = {"leaf": name, "torch says": str(error).strip().splitlines()[0]}
            location = _blame(outputs, leaf)
            yield Finding(f"the gradient of {name} is wrong", evidence=evidence, location=location)
        except Exception as error:
            where = raised_location(error)
            yield Finding(
                f"differentiating with respect to {name} raises {one_line(error)}",
                evidence={"leaf": name},
                location=where,
            )
        compared += leaf.numel()
    yield Verified(
        f"gradients of {', '.join(leaves)}: {compared} elements", 1, tolerance=f"atol {ATOL:g}, rtol {RTOL:g}"
    )


class _Bound(torch.nn.Module):
    """Lets functional_call go through the subject's way of calling."""

    def __init__(self, module: torch.nn.Module, subject: Subject) -> None:
        super().__init__()
        self.module, self.subject = module, subject

    def forward(self, *inputs: Any) -> Any:
        return self.subject.call(self.module, inputs)


def _blame(outputs: Callable[[Tensor], tuple[Tensor, ...]], leaf: Tensor) -> Location | None:
    for function in custom_functions(outputs(leaf), leaf):
        return locate(function.backward)
    return where_gradient_stops(lambda: outputs(leaf), leaf)
