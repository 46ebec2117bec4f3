"""vmap: per-sample gradients through torch.func equal those of a loop over samples."""

import warnings
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.func import vmap as vectorised

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.comparison import Difference
from verifykit.errors import one_line
from verifykit.experiments.observation import batch_of
from verifykit.experiments.passes import (
    NOT_REPEATED,
    Pass,
    against,
    cotangents_of,
    evidence_of,
    leaves_of,
    repeats,
    run_pass,
    tolerance_of,
    worst_of,
)
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject
from verifykit.targets import locate

# Where nothing has been defined for vmap, so that a difference cannot come from there.
_NO_RULE = torch.autograd.Function.vmap


@check("vmap", family="tooling", requires=("determinism",), default=False)
def vmap(subject: Subject) -> Iterator[Finding | Verified]:
    """Per-sample gradients through torch.func.vmap equal those of a loop over the samples.

    What:
        Computes the gradient of every parameter and input for each sample of a batch in two ways: at once, by
        torch.func's vmap of grad of functional_call, and one by one by autograd on the module itself, in double
        precision. They must agree up to rounding, which is measured in single precision. A module that vmap refuses
        gets a note with the reason.

    Why it matters:
        Differential privacy, influence functions, ensembles and Fisher matrices take per-sample gradients this way. A
        hand-written vmap rule that is wrong, or a parameter that is reached round the module's attributes, gives wrong
        ones without a word.

    Wrong:
        def __init__(self):
            self.a, self.b = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))
            self.both = [self.a, self.b]
        def forward(self, x):
            return x * self.both[0] + self.both[1]  # functional_call replaces self.a, not what the list holds

    Right:
        def __init__(self):
            self.a, self.b = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))
        def forward(self, x):
            return x * self.a + self.b

    When to ignore:
        When the module is trained in the ordinary way only.
    """
    axes = _axes(subject)
    module, inputs = subject.build(), subject.draw()
    if not leaves_of(subject, module, inputs):
        raise Skip("there is no parameter and no input to differentiate by")
    samples = [_sample(inputs, axes, index) for index in range(_count(inputs, axes))]
    try:
        loop = [run_pass(subject, module, sample) for sample in samples]
    except Exception as error:
        raise Skip(f"it does not take one sample at a time: {one_line(error)}") from None
    if not any(one.gradients for one in loop):
        raise Skip("no output has a gradient")
    try:
        found = _at_once(subject, inputs, axes)
    except Exception as error:
        yield Finding(
            f"torch.func cannot take its per-sample gradients: {one_line(error)}", "note", {}, raised_location(error)
        )
        return
    expected = {name: torch.stack([_gradient(one, name, found) for one in loop]) for name in found}
    tolerances = _tolerances(subject, expected, axes)
    worst = worst_of(found, expected, tolerances)
    if worst is not None and worst[1].excess > 1:
        if not repeats(subject):
            raise Inconclusive(NOT_REPEATED)
        yield _finding(*worst, found, loop[0])
        return
    yield Verified(
        f"per-sample gradients of {', '.join(found)}",
        len(samples),
        worst[1].error if worst else 0.0,
        f"{max(tolerances.values(), default=0.0):.1g}, from rounding",
    )


def _axes(subject: Subject) -> list[int | None]:
    batch = batch_of(subject)
    if batch is None:
        raise Skip("no dimension of the inputs counts samples")
    for entry, axis in zip(subject.spec.inputs, batch.inputs, strict=True):
        named = [symbol for symbol in entry.symbols if symbol == batch.symbol]
        if len(named) != (axis is not None):
            raise Skip(f"{entry.name} depends on {batch.symbol} in more than one dimension: it has no samples")
    return list(batch.inputs)


def _count(inputs: Sequence[Tensor], axes: Sequence[int | None]) -> int:
    return next(tensor.shape[axis] for tensor, axis in zip(inputs, axes, strict=True) if axis is not None)


def _sample(inputs: Sequence[Tensor], axes: Sequence[int | None], index: int) -> list[Tensor]:
    return [
        tensor if axis is None else tensor.narrow(axis, index, 1) for tensor, axis in zip(inputs, axes, strict=True)
    ]


def _at_once(subject: Subject, inputs: Sequence[Tensor], axes: Sequence[int | None]) -> dict[str, Tensor]:
    """Return the gradients of each sample, stacked, each as if it were a batch of one."""
    module = subject.build()
    leaves = {name: leaf.detach() for name, leaf in leaves_of(subject, module, inputs).items()}
    shared = {name: leaf for name, leaf in leaves.items() if name not in subject.input_names}
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    with torch.no_grad():
        like = subject.call(subject.build(), [tensor.clone() for tensor in _sample(inputs, axes, 0)])
    cotangents = cotangents_of(like, subject.seed)

    def score(parameters: dict[str, Tensor], given: dict[str, Tensor], others: dict[str, Tensor]) -> Tensor:
        every = {**given, **others}
        fed = [
            every[name].clone() if axis is None else every[name].unsqueeze(axis).clone()
            for name, axis in zip(subject.input_names, axes, strict=True)
        ]
        positional, named = subject.arguments(fed)
        state = {name.removeprefix("parameter "): leaf for name, leaf in parameters.items()}
        return against(functional_call(module, {**buffers, **state}, positional, named), cotangents)

    by_name = dict(zip(subject.input_names, axes, strict=True))
    given = {name: leaf for name, leaf in leaves.items() if name in subject.input_names}
    others = {n: t for n, t in zip(subject.input_names, inputs, strict=True) if n not in given}
    dims = (None, {n: by_name[n] for n in given}, {n: by_name[n] for n in others})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of batching rules that are missing, and so slow
        over_parameters, over_inputs = vectorised(grad(score, argnums=(0, 1)), in_dims=dims)(shared, given, others)
    return {**_sized(over_inputs, by_name), **over_parameters}


def _sized(gradients: dict[str, Tensor], axes: dict[str, int | None]) -> dict[str, Tensor]:
    """Give each sample's gradient the dimension of size one that the sample has in a loop."""
    sized = {}
    for name, gradient in gradients.items():
        axis = axes[name]
        sized[name] = gradient if axis is None else gradient.unsqueeze(axis + 1)
    return sized


def _gradient(one: Pass, name: str, like: dict[str, Tensor]) -> Tensor:
    return one.gradients.get(name, torch.zeros_like(like[name][0]))


def _tolerances(subject: Subject, expected: dict[str, Tensor], axes: Sequence[int | None]) -> dict[str, float]:
    module, inputs = _single(subject)
    samples = [_sample(inputs, axes, index) for index in range(_count(inputs, axes))]
    try:
        loop = [run_pass(subject, module, sample) for sample in samples]
    except Exception:  # what it makes of single precision is for other checks
        loop = []
    single = {
        name: torch.stack([one.gradients[name] for one in loop])
        for name in expected
        if loop and all(name in one.gradients for one in loop)
    }
    return {name: tolerance_of(one, single.get(name), expected.values()) for name, one in expected.items()}


def _single(subject: Subject) -> tuple[nn.Module, tuple[Tensor, ...]]:
    return subject.build(torch.float32), subject.draw(dtype=torch.float32)


def _finding(name: str, difference: Difference, found: dict[str, Tensor], sample: Pass) -> Finding:
    ruled = [f for f in sample.functions if f.vmap is not _NO_RULE or getattr(f, "generate_vmap_rule", False)]
    if not bool(found[name].any()):
        why = "torch.func sees no dependence on it: it is reached in another way than by the attribute of that name"
    elif ruled:
        why = f"{ruled[0].__name__} has its own rule for vmap"
    else:
        why = f"vmap says {difference.actual:.6g} where a loop says {difference.expected:.6g}"
    return Finding(
        f"the per-sample gradients of {name} through torch.func are wrong: {why}",
        evidence=evidence_of(name, difference, "vmap", "loop"),
        location=_rule(ruled[0]) if ruled else None,
    )


def _rule(function: type[torch.autograd.Function]) -> Location | None:
    return locate(function.vmap if function.vmap is not _NO_RULE else function.backward)
