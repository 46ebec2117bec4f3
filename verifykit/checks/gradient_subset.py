"""gradient-subset: a gradient does not depend on what else requires one."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import first_point
from verifykit.gradients.function import Function, random_signs
from verifykit.gradients.layouts import SAME, difference, floors_of, pull
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.functional import PureCall
from verifykit.spec.subject import Subject

MOST = 24


@check("gradient-subset", family="gradients", requires=("gradient", "graph-cut"))
def gradient_subset(subject: Subject) -> Iterator[Finding | Verified]:
    """The gradient of a leaf is the same whichever of the other leaves require one.

    What:
        Runs backward with each input and parameter alone requiring a gradient, and with each alone not requiring one,
        and compares with the gradients where all do.

    Why it matters:
        Freezing part of a model, or feeding data that needs no gradient, takes the branches of a backward that tests
        with everything switched on never reach.

    Wrong:
        @staticmethod
        def backward(ctx, grad):
            x, weight = ctx.saved_tensors
            grads = [grad @ weight] if ctx.needs_input_grad[0] else []
            return (*grads, grad.T @ x)  # one too few where x needs none

    Right:
        @staticmethod
        def backward(ctx, grad):
            x, weight = ctx.saved_tensors
            grad_x = grad @ weight if ctx.needs_input_grad[0] else None
            return grad_x, grad.T @ x

    When to ignore:
        Never; a module that cannot be frozen in part says so in its documentation at best.
    """
    point = first_point(subject)
    call = point.call
    linear = point.function(subject.seed).linearize(call.point)
    if len(call.names) < 2 or not any(output.requires_grad for output in linear.outputs):
        raise Skip("there are no two leaves to tell apart")
    generator = torch.Generator().manual_seed(subject.seed)
    cotangents = [random_signs(output, generator).to(output.dtype) for output in linear.outputs]
    expected = dict(zip(call.names, pull(linear, list(cotangents)), strict=True))
    floors = dict(zip(call.names, floors_of(linear, cotangents), strict=True))
    subsets = _subsets(call.names)
    for chosen in subsets:
        described = (
            f"only {chosen[0]} requires" if len(chosen) == 1 else f"all but {_left_out(call.names, chosen)} require"
        )
        try:
            found = pull(_restricted(call, chosen, subject.seed).linearize(_point(call, chosen)), list(cotangents))
        except Exception as error:
            message = f"backward raises where {described} a gradient: {one_line(error)}"
            yield Finding(message, location=raised_location(error))
            return
        whole = [expected[name] for name in chosen]
        leaf, share = difference(whole, found, whole, [floors[name] for name in chosen])
        if not share <= SAME:
            evidence = {"leaf": chosen[leaf], "difference / greatest element": share}
            yield Finding(f"the gradient of {chosen[leaf]} changes where {described} a gradient", evidence=evidence)
            return
    yield Verified("gradients where other leaves do not require one", len(subsets), None, f"{SAME:g} of the greatest")


def _subsets(names: list[str]) -> list[list[str]]:
    alone = [[name] for name in names]
    without = [[other for other in names if other != name] for name in names] if len(names) > 2 else []
    return (alone + without)[:MOST]


def _left_out(names: list[str], chosen: list[str]) -> str:
    return ", ".join(name for name in names if name not in chosen)


def _point(call: PureCall, chosen: list[str]) -> list[torch.Tensor]:
    return [leaf for name, leaf in zip(call.names, call.point, strict=True) if name in chosen]


def _restricted(call: PureCall, chosen: list[str], seed: int) -> Function:
    frozen = {name: leaf for name, leaf in zip(call.names, call.point, strict=True) if name not in chosen}
    restricted = replace(call, names=[*chosen, *frozen])
    return Function(lambda leaves: restricted([*leaves, *frozen.values()]), chosen, seed)
