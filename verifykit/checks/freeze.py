"""freeze: parts of a module can be frozen, and stay frozen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.module_state import SAME, alike, fresh, is_module
from verifykit.gradients.function import random_signs
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import locate
from verifykit.tracing import trace

# Parameters that are frozen one at a time; evenly chosen where there are more.
MOST = 8


@check("freeze", family="hygiene", requires=("gradient-subset",))
def freeze(subject: Subject) -> Iterator[Finding | Verified]:
    """Frozen parameters stay frozen and unchanged, and the rest has the gradients that it has without freezing.

    What:
        Sets requires_grad to False on each parameter alone, on all, and on all while the inputs need gradients, as
        fine-tuning does on the module itself, runs forward and backward in training mode, and looks at the flags,
        values and gradients of frozen and other parameters; then switches between train() and eval().

    Why it matters:
        Fine-tuning freezes most of a model. A module that unfreezes itself, moves its weights in forward, or asks for
        a gradient that is not there, trains what should stand still or stops with an error.

    Wrong:
        def forward(self, x):
            for p in self.parameters():
                p.requires_grad_(True)  # undoes what the user froze
            return self.linear(x)

    Right:
        def forward(self, x):
            return self.linear(x)

    When to ignore:
        When the module decides by itself what is trained, and says so.
    """
    if not is_module(subject):
        raise Skip("a function has nothing to freeze")
    names = [name for name, parameter in fresh(subject, training=True).named_parameters() if parameter.requires_grad]
    if not names:
        raise Skip("it has no parameters that could be frozen")
    try:
        plain = _step(subject, [], inputs=True)
    except Exception as error:
        raise Skip(f"its gradient cannot be computed: {one_line(error)}") from None
    if plain.flipped:
        name = plain.flipped[0]
        yield Finding(
            f"forward switches off the gradient of {name}: whether it is trained depends on whether it was called",
            "warning",
            {"parameters": plain.flipped[:8]},
            _where(subject, [], plain.flipped),
        )
        return
    if not plain.gradients:
        raise Skip("no parameter has a gradient")
    chosen = names[:: -(-len(names) // MOST)]
    plans = [([], False), *(([name], True) for name in chosen), (names, True), (names, False)]
    for frozen, inputs in plans:
        problem = _judged(subject, frozen, inputs, plain)
        if problem is not None:
            if "difference" in problem.evidence and _changed(plain, _step(subject, [], inputs=True), []) is not None:
                raise Inconclusive("its gradients are others each time it is built, under one seed")
            yield problem
            return
    problem = _mode(subject, names)
    if problem is not None:
        yield problem
        return
    told = f"freezing {len(chosen)} of {len(names)} parameters alone, all together, and the inputs"
    yield Verified(told, len(plans), None, f"{SAME:.2g} of the greatest element of a gradient")


@dataclass(frozen=True)
class _Outcome:
    gradients: dict[str, Tensor]
    flipped: list[str]
    moved: list[str]


def _step(subject: Subject, frozen: Sequence[str], *, inputs: bool) -> _Outcome:
    """Run forward and backward once with some parameters frozen, and say what became of flags, values and gradients."""
    module = fresh(subject, training=True)
    parameters = dict(module.named_parameters())
    for name in frozen:
        parameters[name].requires_grad_(False)
    flags = {name: parameter.requires_grad for name, parameter in parameters.items()}
    values = {name: parameters[name].detach().clone() for name in frozen}
    leaves = [t.requires_grad_() if inputs and (t.is_floating_point() or t.is_complex()) else t for t in subject.draw()]
    with torch.enable_grad(), seeded(subject.seed):
        # A copy, which the module may change in place.
        outputs = named_tensors(subject.call(module, [t.clone() for t in leaves]))
    flipped = [
        name for name, parameter in module.named_parameters() if flags.get(name) not in (None, parameter.requires_grad)
    ]
    generator = torch.Generator().manual_seed(subject.seed)
    products = [
        (output * random_signs(output, generator).to(output.dtype)).abs().square().sum()
        if output.is_complex()
        else (output * random_signs(output, generator).to(output.dtype)).sum()
        for output in outputs.values()
        if output.is_floating_point() or output.is_complex()
    ]
    total = [product for product in products if product.requires_grad]
    if total and not flipped:
        torch.stack([product.double() for product in total]).sum().backward()  # type: ignore[no-untyped-call]
    found = {name: p.grad.detach().to_dense() for name, p in module.named_parameters() if p.grad is not None}
    found |= {f"input {n}": t.grad for n, t in zip(subject.input_names, leaves, strict=True) if t.grad is not None}
    moved = [name for name, value in values.items() if not alike(parameters[name].detach(), value)]
    return _Outcome(found, flipped, moved)


def _judged(subject: Subject, frozen: list[str], inputs: bool, plain: _Outcome) -> Finding | None:
    what = _described(frozen, inputs)
    try:
        outcome = _step(subject, frozen, inputs=inputs)
    except Exception as error:
        told = f"forward and backward fail where {what}: {one_line(error)}"
        return Finding(told, evidence={"frozen": frozen[:8]}, location=raised_location(error))
    if outcome.flipped:
        told = (
            f"forward sets requires_grad of {outcome.flipped[0]} to True: what the user froze is trained all the same"
        )
        where = _where(subject, frozen, outcome.flipped)
        return Finding(told, evidence={"unfrozen": outcome.flipped[:8]}, location=where)
    if outcome.moved:
        told = f"forward changes the value of {outcome.moved[0]}, though it is frozen and no optimiser took a step"
        where = _where(subject, frozen, outcome.moved)
        return Finding(told, "warning", {"changed": outcome.moved[:8]}, where)
    for name in frozen:
        if name in outcome.gradients:
            return Finding(
                f"{name} is frozen and has a gradient all the same, where {what}", evidence={"parameter": name}
            )
    left_out = [*frozen, *(() if inputs else (name for name in plain.gradients if name.startswith("input ")))]
    leaf = _changed(plain, outcome, left_out)
    if leaf is None:
        return None
    expected, actual = plain.gradients[leaf], outcome.gradients.get(leaf)
    if actual is None:
        return Finding(f"{leaf} has no gradient where {what}, and has one otherwise", evidence={"leaf": leaf})
    evidence = {"leaf": leaf, "difference": _greatest(actual - expected), "greatest element": _greatest(expected)}
    return Finding(f"the gradient of {leaf} is another one where {what}", evidence=evidence)


def _changed(plain: _Outcome, other: _Outcome, left_out: Sequence[str]) -> str | None:
    """Return the first leaf whose gradient is not what it is without freezing."""
    for name, expected in plain.gradients.items():
        if name not in left_out:
            actual = other.gradients.get(name)
            if actual is None or _greatest(actual - expected) > SAME * _greatest(expected):
                return name
    return None


def _greatest(tensor: Tensor) -> float:
    return float(tensor.abs().max()) if tensor.numel() else 0.0


def _described(frozen: list[str], inputs: bool) -> str:
    if not frozen:
        return "the inputs need no gradient"
    named = f"{frozen[0]} is frozen" if len(frozen) == 1 else f"all {len(frozen)} parameters are frozen"
    return named if inputs else f"{named} and the inputs need no gradient"


def _mode(subject: Subject, names: list[str]) -> Finding | None:
    """Switching between train() and eval() must not unfreeze."""
    module = fresh(subject, training=True)
    module.requires_grad_(False)
    for mode in (True, False):
        module.train(mode)
        thawed = [name for name in names if module.get_parameter(name).requires_grad]
        if thawed:
            call = "train()" if mode else "eval()"
            told = f"{call} sets requires_grad of {thawed[0]} to True: what the user froze is trained again"
            where = next(
                (locate(type(p).train) for p in module.modules() if type(p).train is not nn.Module.train), None
            )
            return Finding(told, "warning", {"unfrozen": thawed[:8]}, where)
    return None


def _where(subject: Subject, frozen: Sequence[str], names: Sequence[str]) -> Location | None:
    """Return the line that sets the flag, or writes into the values, of one of ``names``."""
    module = fresh(subject, training=True)
    for name in frozen:
        module.get_parameter(name).requires_grad_(False)
    wanted = {id(module.get_parameter(name)) for name in names}
    for step in trace(lambda: subject.call(module, subject.draw())):
        name = step.name.rpartition(".")[2]
        writes = name.endswith("_") or name == "__set__" or step.name.endswith("__set__")
        if writes and any(id(t) in wanted for t in step.inputs):
            return step.location
    return None
