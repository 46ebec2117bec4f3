"""host-sync: forward does not make the host wait for values that the device computes."""

from collections.abc import Iterator
from functools import partial

from verifykit.checks.registry import check
from verifykit.experiments.observation import outputs_of
from verifykit.profiling.where.waits import waits_in
from verifykit.results import Finding, Location, Verified
from verifykit.spec.subject import Subject
from verifykit.tracing import trace


@check("host-sync", family="smells", severity="warning")
def host_sync(subject: Subject) -> Iterator[Finding | Verified]:
    """Forward never waits for a value that the device computes, as .item() and conditions on tensors do.

    What:
        Follows forward in eval and in training mode and names each line that needs a value, computed from the inputs or
        parameters, on the host: .item(), float(), a condition on a tensor, boolean indexing, nonzero, unique.

    Why it matters:
        On a GPU each of them empties the queue of kernels; torch.compile breaks its graph there, CUDA graphs and export
        refuse it.

    Wrong:
        def forward(self, x):
            if x.abs().max() > 1:
                x = x / x.abs().max()
            return x

    Right:
        def forward(self, x):
            return x / x.abs().max().clamp(min=1)

    When to ignore:
        When the module runs on the CPU only, or the result's size must follow the values.
    """
    steps = 0
    found: dict[Location | None, tuple[str, str]] = {}
    for training in (False, True):
        module, inputs = subject.build(training=training), subject.draw()
        data = [*inputs, *module.parameters(), *module.buffers()]
        taken = trace(partial(outputs_of, subject, module, inputs))
        steps += len(taken)
        for step, what in waits_in(taken, data):
            found.setdefault(step.location or subject.forward_location, (what, "training" if training else "eval"))
    if found:
        (location, (what, mode)), *others = found.items()
        more = f"; {len(others)} more line{'s' if len(others) > 1 else ''} wait too" if others else ""
        yield Finding(
            f"{what} makes the host wait for the device in {mode} mode{more}",
            None,
            {str(line): call for line, (call, _) in found.items()},
            location,
        )
    yield Verified("no call that waits for a value of the inputs or parameters", steps)
