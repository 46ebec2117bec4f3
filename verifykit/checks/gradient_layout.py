"""gradient-layout: backward takes any cotangent that autograd may hand it."""

from collections.abc import Iterator

import torch
from torch import Tensor

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import first_point
from verifykit.gradients.function import Linearization, Tensors, random_signs
from verifykit.gradients.layouts import SAME, difference, floors_of, layouts, pull
from verifykit.results import Finding, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject

Case = tuple[str, list[Tensor | None], list[Tensor | None]]


@check("gradient-layout", family="gradients", requires=("gradient", "graph-cut"))
def gradient_layout(subject: Subject) -> Iterator[Finding | Verified]:
    """Backward gives the same gradient for any memory layout of the cotangent, is linear in it, and leaves it alone.

    What:
        Feeds backward the same cotangent contiguous, transposed, sliced with a storage offset, and expanded with zero
        strides, as sum().backward() does; all zeros; none for one of several outputs; and inputs that are not
        contiguous. Compares the gradients, and looks whether the cotangent was written to.

    Why it matters:
        Autograd promises no layout. A kernel that reads its argument as contiguous works in the unit test and is
        wrong behind a transpose.

    Wrong:
        @staticmethod
        def backward(ctx, grad):
            return grad.mul_(2)  # in place: the caller's tensor changes

    Right:
        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    When to ignore:
        Never, for a module that others will put into a larger one.
    """
    point = first_point(subject)
    function = point.function(subject.seed)
    linear = function.linearize(point.call.point)
    if not any(output.requires_grad for output in linear.outputs):
        raise Skip("no output has a gradient")
    generator = torch.Generator().manual_seed(subject.seed)
    plain = [random_signs(output, generator).to(output.dtype) for output in linear.outputs]
    expected = pull(linear, list(plain))
    floors = floors_of(linear, plain)
    count = 0
    for name, given, same_as in _cases(plain):
        count += 1
        finding = _compare(linear, name, given, same_as, expected, floors)
        if finding is not None:
            yield finding
            return
    for name, inputs in _strided(point.call.point):
        count += 1
        try:
            found = pull(function.linearize(inputs), list(plain))
        except Exception as error:
            message = f"it raises for inputs that are {name}: {one_line(error)}"
            yield Finding(message, location=raised_location(error))
            return
        leaf, share = difference(expected, found, expected, floors)
        if not share <= SAME:
            yield Finding(
                f"the gradient of {linear.names[leaf]} differs for inputs that are {name}", evidence={"share": share}
            )
            return
    doubled = pull(linear, [2 * u for u in plain])
    leaf, share = difference([2 * g for g in expected], doubled, expected, floors)
    if not share <= SAME:
        yield Finding(f"the gradient of {linear.names[leaf]} is not linear in the cotangent", evidence={"share": share})
        return
    yield Verified(
        "gradients under cotangents and inputs of other layouts", count + 1, None, f"{SAME:g} of the greatest"
    )


def _cases(plain: Tensors) -> Iterator[Case]:
    for name in ("transposed", "sliced, with a storage offset"):
        yield name, [dict(layouts(u)).get(name, u) for u in plain], list(plain)
    ones = [torch.ones((), dtype=u.dtype, device=u.device).expand(u.shape) for u in plain]
    yield "expanded with zero strides", list(ones), [u.contiguous() for u in ones]
    if len(plain) > 1:
        for index in range(len(plain)):
            absent = [None if i == index else u for i, u in enumerate(plain)]
            zero = [torch.zeros_like(u) if i == index else u for i, u in enumerate(plain)]
            yield f"absent for output {index}", absent, list(zero)


def _compare(
    linear: Linearization,
    name: str,
    given: list[Tensor | None],
    same_as: list[Tensor | None],
    usual: Tensors,
    floors: list[float],
) -> Finding | None:
    kept = [None if u is None else u.clone() for u in given]
    expected = pull(linear, [None if u is None else u.clone() for u in same_as])
    try:
        found = pull(linear, given)
    except Exception as error:
        return Finding(
            f"backward raises for a cotangent that is {name}: {one_line(error)}", location=raised_location(error)
        )
    if any(u is not None and k is not None and not torch.equal(u, k) for u, k in zip(given, kept, strict=True)):
        return Finding("backward writes to its cotangent in place, which belongs to the caller")
    leaf, share = difference(expected, found, usual, floors)
    if share <= SAME:
        return None
    evidence = {"leaf": linear.names[leaf], "difference / greatest element": share}
    return Finding(f"the gradient of {linear.names[leaf]} differs for a cotangent that is {name}", evidence=evidence)


def _strided(point: Tensors) -> Iterator[tuple[str, Tensors]]:
    for name in ("transposed", "sliced, with a storage offset"):
        yield name, [dict(layouts(leaf)).get(name, leaf) for leaf in point]
