"""retained-graph: an output holds a graph only where an input or a parameter wants a gradient."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from verifykit.checks.registry import Skip, check
from verifykit.results import Finding, Location, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import trace


@check("retained-graph", family="smells", severity="warning", requires=("registration",))
def retained_graph(subject: Subject) -> Iterator[Finding | Verified]:
    """Outputs hold no graph where neither inputs nor parameters want a gradient.

    What:
        Freezes all parameters, calls the module with inputs that want no gradient and looks whether an output wants one
        all the same; names the line that makes the first tensor that does. Graphs of earlier calls that are kept are
        what state-leak reports.

    Why it matters:
        A frozen encoder then keeps every activation for a backward that nobody runs: its memory is that of training.

    Wrong:
        def forward(self, x):
            offset = torch.zeros(x.shape[-1], requires_grad=True)
            return x + offset

    Right:
        def forward(self, x):
            return x + self.offset  # an nn.Parameter, which can be frozen

    When to ignore:
        When the module optimises something inside forward and returns it undetached on purpose.
    """
    module = subject.build().requires_grad_(False)
    inputs = tuple(tensor.clone() for tensor in subject.draw())
    with torch.enable_grad(), seeded(subject.seed):
        outputs = named_tensors(subject.call(module, inputs))
    if not outputs:
        raise Skip("the module returns no tensor")
    name = next((name for name, tensor in outputs.items() if tensor.requires_grad), None)
    if name is not None:
        yield Finding(
            f"{name} holds a graph although no input and no parameter wants a gradient",
            "note" if all(tensor.ndim == 0 for tensor in outputs.values()) else None,  # a loss is differentiated anyway
            {
                "output": name,
                "made by": type(outputs[name].grad_fn).__name__
                if outputs[name].grad_fn is not None
                else "a leaf that wants a gradient",
            },
            _first(subject),
        )
        return
    yield Verified("outputs hold no graph while inputs and parameters want no gradient", len(outputs))


def _first(subject: Subject) -> Location | None:
    module, inputs = subject.build().requires_grad_(False), subject.draw()
    with torch.enable_grad():
        steps = trace(partial[Any](subject.call, module, [tensor.clone() for tensor in inputs]))
    return next((step.location for step in steps if any(t.requires_grad for t in step.outputs)), None)
