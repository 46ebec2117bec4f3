"""overhead: many small operators, each costing more to call than to compute."""

from collections.abc import Iterator

from verifykit.profiling.advice.words import seconds
from verifykit.results import Location
from verifykit.results.cost import Profile, Where
from verifykit.results.performance import Advice

LEAST_SHARE = 0.5
FEW = 10


def overhead(profile: Profile, where: Where, location: Location | None) -> Iterator[Advice]:
    """Say how much of forward is Python and dispatch, at the sizes measured."""
    if where.overhead is None or where.overhead < LEAST_SHARE or where.operators_per_call <= FEW:
        return
    each = seconds(profile.forward.median / where.operators_per_call)
    sizes = ", ".join(f"{name} = {size}" for name, size in profile.sizes.items())
    yield Advice(
        "overhead",
        f"{where.operators_per_call} operators of about {each}: overhead is {where.overhead:.0%} of forward"
        f"{f' at {sizes}' if sizes else ''}; fewer operators, or torch.compile, which fuses them, would help",
        location,
        where.overhead,
        {"operators": where.operators_per_call, "overhead": where.overhead},
    )
