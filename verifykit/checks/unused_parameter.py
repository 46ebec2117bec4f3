"""unused-parameter: every parameter has an influence on the output."""

from collections.abc import Iterator

import torch

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import points
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject


@check("unused-parameter", family="gradients", severity="warning", requires=("graph-cut",))
def unused_parameter(subject: Subject) -> Iterator[Finding | Verified]:
    """Every parameter that requires a gradient is used in computing the output.

    What:
        Looks, in eval and in training mode, for parameters that the graph of the outputs does not lead to. That such a
        parameter has no influence otherwise is what graph-cut establishes.

    Why it matters:
        It costs memory and optimiser state, makes distributed training hang or fail, and is often a layer that was
        built and forgotten in forward.

    Wrong:
        def __init__(self):
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        def forward(self, x):
            return self.first(self.first(x))

    Right:
        def __init__(self):
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        def forward(self, x):
            return self.second(self.first(x))

    When to ignore:
        When the parameter is for another entry point than forward.
    """
    unused: set[str] | None = None
    examples = 0
    for point in points(subject):
        try:
            linear = point.function(subject.seed).linearize(point.call.point)
            gradients = linear.vjp([torch.ones_like(output) for output in linear.outputs])
        except Exception as error:
            raise Skip(f"its gradient cannot be computed: {one_line(error)}") from None
        examples += 1
        missing = {name for name, g in zip(linear.names, gradients, strict=True) if g is None}
        unused = missing if unused is None else unused & missing
    parameters = [name for name, p in subject.build().named_parameters() if p.requires_grad]
    if not parameters:
        raise Skip("it has no parameters")
    for name in parameters:
        if name in (unused or ()):
            told = f"the parameter {name} is not used in computing the output, or only where no gradient passes"
            yield Finding(told, evidence={"parameter": name})
    yield Verified(f"use of {len(parameters)} parameters", examples)
