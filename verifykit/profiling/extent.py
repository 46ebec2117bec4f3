"""How much is measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from verifykit.profiling.timing import QUICK, THOROUGH, Effort


@dataclass(frozen=True)
class Extent:
    """``sizes`` of free symbols, those left out being typical ones; ``None`` for the small ones that checks use. With
    ``built_in``, the built-in that the module equals is looked for where no reference is given.

    ``growth`` and ``roofline`` are the seconds spent on each, 0 for none; ``compile`` also times the module compiled by
    ``torch.compile``.
    """

    effort: Effort = QUICK
    sizes: Mapping[str, int] | None = None
    built_in: bool = False
    advice: bool = False
    growth: float = 0.0
    roofline: float = 0.0
    compile: bool = False


# Beside an audit.
BRIEF = Extent()


def full(sizes: Mapping[str, int], *, compile: bool) -> Extent:
    """Return the extent of ``verifykit profile``."""
    return Extent(THOROUGH, sizes, built_in=True, advice=True, growth=4.0, roofline=1.5, compile=compile)


def quick(sizes: Mapping[str, int], *, compile: bool) -> Extent:
    """Return the extent of ``verifykit profile --quick``."""
    return Extent(QUICK, sizes, advice=True, compile=compile)
