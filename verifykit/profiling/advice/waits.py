"""host sync: lines at which the host needs a value that the device computes."""

from collections.abc import Iterator

from verifykit.results.cost import Where
from verifykit.results.performance import Advice


def host_syncs(where: Where) -> Iterator[Advice]:
    """Name each line of the user's at which forward waits. On the CPU nothing is gained: nothing waits."""
    for waited in where.waits:
        if waited.location is None:
            continue
        times = "at every call" if waited.calls == 1 else f"{waited.calls} times at every call"
        yield Advice(
            "host sync",
            f"{waited.what} at line {waited.location.line} makes the host wait for the device {times}: on a GPU the "
            "queue of kernels runs empty there, and torch.compile breaks its graph",
            waited.location,
            evidence={"what": waited.what, "calls": waited.calls},
        )
