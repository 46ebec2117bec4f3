"""identity: which known operation a module is, what a loss is made of, what an activation looks like."""

from collections.abc import Iterator

from verifykit.checks.registry import Skip, check
from verifykit.identify.identity import identity_of
from verifykit.results import Verified
from verifykit.results.identity import Identity
from verifykit.spec.subject import Subject


@check("identity", family="comparison", severity="note", requires=("determinism",))
def identity(subject: Subject) -> Iterator[Verified | Identity]:
    """Which built-in it equals, which one it comes near to, and what a loss is made of.

    What:
        Compares the module with every operation of torch that takes such inputs and has such parameters, with arguments
        found in the module itself. What gives the same outputs is compared at many points: values, gradients of inputs
        and parameters, double backward, in float64, in eval and in training mode. A loss is also written as a sum of
        known terms, an elementwise function described by its limits, pieces, kinks and jumps.

    Why it matters:
        "Is this not just nn.Linear?" is what a reviewer asks first. A built-in is tested, fast, and known to
        every reader.

    Wrong:
        class Scale(nn.Module):  # nn.Linear with another initialisation
            def __init__(self, width):
                super().__init__()
                self.weight = nn.Parameter(torch.randn(width, width))
                self.bias = nn.Parameter(torch.randn(width))

            def forward(self, x):
                return x @ self.weight.T + self.bias

    Right:
        scale = nn.Linear(width, width)

    When to ignore:
        When the module is there to be read, or to be changed.
    """
    found = identity_of(subject)
    if found == Identity():
        raise Skip("it is no operation that is known, nor near one")
    yield found
    likeness = found.likeness
    if likeness is not None and likeness.relation != "close":
        yield Verified(f"equals {likeness.name}: {likeness.domain}", likeness.examples, likeness.worst, "rounding")
