"""Intervals that hold a median, without assuming how noise is distributed."""

import math
import statistics
from collections.abc import Sequence

from verifykit.results.cost import Ratio

CONFIDENCE = 0.95
# Two copies of one module, timed in turn, differ by as much from run to run, as memory and code happen to lie: half of
# the length that `make profile-report` finds to hold 95 of 100 of such ratios. No interval is taken for narrower.
LAYOUT = 0.03


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return order statistics that hold the median of what ``values`` are drawn from with at least 95 % confidence
    (the sign test: Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2); of fewer than six values, from
    which none can be had, the least and the greatest.
    """
    ordered = sorted(values)
    n = len(ordered)
    outside, skipped = 0.5**n, 0
    while skipped + 1 < n // 2 and 2 * (outside + math.comb(n, skipped + 1) * 0.5**n) <= 1 - CONFIDENCE:
        skipped += 1
        outside += math.comb(n, skipped) * 0.5**n
    return ordered[skipped], ordered[n - 1 - skipped]


def ratio_of(own: Sequence[float], other: Sequence[float]) -> Ratio:
    """Return the ratio of paired measurements, ``own`` over ``other``: round by round, so that a drift of the machine
    cancels.
    """
    logarithms = [math.log(one / two) for one, two in zip(own, other, strict=True)]
    middle = statistics.median(logarithms)
    low, high = median_interval(logarithms)
    room = math.log1p(LAYOUT)
    return Ratio(math.exp(middle), math.exp(min(low, middle - room)), math.exp(max(high, middle + room)))
