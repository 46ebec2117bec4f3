"""graph-cut: autograd knows of every leaf that the output depends on."""

from collections.abc import Iterator

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.differentiation import Point, blame, mismatch_finding, verdicts
from verifykit.experiments.observation import loss_of
from verifykit.gradients.verdict import Mismatch
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.subject import Subject


@check("graph-cut", family="gradients")
def graph_cut(subject: Subject) -> Iterator[Finding | Verified]:
    """Autograd knows of every input and parameter that the output depends on.

    What:
        Moves each input and parameter and looks whether the output changes; where it does and autograd's gradient is
        zero or missing altogether, the graph is cut between them. Names the line at which that happens.

    Why it matters:
        A parameter behind a cut is never trained, and nothing says so.

    Wrong:
        def forward(self, x):
            return x * self.scale.detach()

    Right:
        def forward(self, x):
            return x * self.scale

    When to ignore:
        When the gradient is stopped on purpose: targets of a momentum encoder, running codebooks. An input that goes
        through ``detach()`` is a warning only, the target of a loss a note.
    """
    try:
        found = verdicts(subject)
    except Exception as error:
        raise Skip(f"its gradient cannot be computed: {one_line(error)}") from None
    for point, verdict in found:
        if verdict.kind == "graph cut":
            for mismatch in verdict.mismatches:
                yield mismatch_finding(subject, point, verdict, mismatch, severity=_severity(subject, point, mismatch))
    names = ", ".join(dict.fromkeys(name for point, _ in found for name in point.call.names))
    yield Verified(f"dependence of the outputs on {names}", len(found))


def _severity(subject: Subject, point: Point, mismatch: Mismatch) -> Severity | None:
    """Nobody detaches a parameter for good on purpose; an input, somebody may."""
    leaf = mismatch.element.leaf
    if leaf not in subject.input_names or blame(point, mismatch, subject.seed)[1] not in ("detach()", "no_grad"):
        return None
    loss = loss_of(subject)
    return "note" if loss is not None and loss.target == leaf else "warning"
