"""The operators of forward and backward, by their own time."""

from collections.abc import Iterator, Sequence

from verifykit.reporting import units
from verifykit.reporting.escape import code
from verifykit.reporting.tables import table
from verifykit.results.cost import OperatorCost, Profile

SHOWN = 8


def operators(profile: Profile, heading: str) -> Iterator[str]:
    """Yield a table each of the costliest operators of forward and backward; none where there is none."""
    parts = [("Forward", profile.forward_operators), ("Backward", profile.backward_operators)]
    if any(found for _, found in parts):
        yield f"{heading} Operators"
    for direction, found in parts:
        if found:
            yield f"{direction}, per call:"
            yield _table(found)


def _table(found: Sequence[OperatorCost]) -> str:
    on_device = any(one.self_device for one in found)
    rows = [
        (
            code(one.name),
            f"{one.calls:g}",
            units.seconds(one.self_cpu),
            units.seconds(one.total_cpu),
            *([units.seconds(one.self_device)] if on_device else []),
            units.size(one.memory),
        )
        for one in found[:SHOWN]
    ]
    device = ["self time on the device"] if on_device else []
    return table(("operator", "calls", "self time", "total time", *device, "memory allocated"), rows)
