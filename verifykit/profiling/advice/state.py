"""growing state: what each call leaves behind."""

from collections.abc import Iterator

from verifykit.profiling.advice.words import size
from verifykit.results.cost import Memory
from verifykit.results.performance import Advice


def growing_state(memory: Memory) -> Iterator[Advice]:
    """Say what further calls left behind, where they did."""
    if memory.kept_per_call <= 0:
        return
    line = f", kept at line {memory.kept_at.line}" if memory.kept_at else ""
    graph = "; what is kept has a grad_fn, so its graph stays as well: .detach() it" if memory.kept_graph else ""
    around = memory.inputs + memory.outputs
    yield Advice(
        "growing state",
        f"every call leaves {size(memory.kept_per_call)} behind{line}: memory grows for as long as the module is used"
        f"{graph}",
        memory.kept_at,
        min(1.0, memory.kept_per_call / around) if around else 1.0,
        {"bytes per call": memory.kept_per_call},
    )
