"""How a quantity grows with a size: from the figures of a series to a law, or to none where they decide nothing."""

import math
from collections.abc import Collection, Sequence

from verifykit.profiling.growth.exact import FEWEST, Sum, exact_sum
from verifykit.profiling.growth.powers import Power, leading_power
from verifykit.results.growth import Law, Quantity

# No cost of a real machine is a power of the size more exactly than this.
UNEVEN = 0.04
# A wider bar than this decides nothing.
WIDEST = 0.5
# The range of sizes over which a cost must stay the same to be called flat, and what it may change by.
FLAT_RANGE, FLAT = 64, 1.25
# A count without an exact law, of memory that depends on the values say, is taken to be known as well as this.
COUNT_NOISE = 0.01


def counted_law(quantity: Quantity, symbol: str, sizes: Sequence[int], counts: Sequence[int]) -> Law | None:
    """Return the law of figures that are exact: where a sum of a few terms gives them all its exponent is exact too."""
    found = exact_sum(sizes, counts)
    if found is not None:
        return _exact_law(quantity, symbol, sizes, found)
    none = sum(count <= 0 for count in counts)
    if any(count <= 0 for count in counts[none:]) or len(counts) - none < FEWEST:
        return None
    return noisy_law(quantity, symbol, sizes[none:], counts[none:], [COUNT_NOISE] * (len(counts) - none))


def noisy_law(
    quantity: Quantity,
    symbol: str,
    sizes: Sequence[int],
    values: Sequence[float],
    noise: Sequence[float],
    *,
    held: Sequence[int] | None = None,
    likely: Collection[float] = (),
) -> Law | None:
    """Return the law of figures above 0 that are known to within ``noise`` (relative, one standard deviation);
    ``held`` and ``likely`` as in :func:`leading_power`.
    """
    flat = _flat_law(quantity, sizes, values, noise)
    if flat is not None:
        return flat
    power = leading_power(sizes, values, noise, held, likely)
    if power is None:
        return None
    error = math.hypot(max(power.high - power.exponent, power.exponent - power.low), UNEVEN)
    if error > WIDEST:
        return None
    return Law(
        quantity=quantity,
        exponent=power.exponent,
        error=error,
        constant=power.constant,
        coefficient=power.coefficient,
        start=sizes[power.first],
        also=_with_logarithm(symbol, sizes, power, error),
    )


def _exact_law(quantity: Quantity, symbol: str, sizes: Sequence[int], found: Sum) -> Law:
    start = sizes[found.first]
    if found.leading is None or not found.leading.log:
        power = found.leading.power if found.leading else 0.0
        return Law(quantity, power, 0.0, found.constant, found.coefficient, start)
    whole = found.leading.power
    least, most = _of_logarithm(sizes[found.first :])
    # Beside a power, a logarithm adds to the exponent; alone it is nearest to being flat.
    exponent, error = (whole + (least + most) / 2, (most - least) / 2) if whole else (0.0, most)
    also = f"{_power(symbol, whole)} log {symbol}" if whole else f"log {symbol}"
    return Law(quantity, exponent, error, found.constant, found.coefficient, start, also)


def _of_logarithm(sizes: Sequence[int]) -> tuple[float, float]:
    """Return what a factor log n adds to the local exponent, 1 / ln n, at both ends of the upper half of ``sizes``."""
    return 1 / math.log(sizes[-1]), 1 / math.log(max(sizes[len(sizes) // 2], 3))


def _flat_law(quantity: Quantity, sizes: Sequence[int], values: Sequence[float], noise: Sequence[float]) -> Law | None:
    span = sizes[-1] / sizes[0]
    rise = max(values) / min(values)
    if span < FLAT_RANGE or rise > FLAT + 2 * max(noise):
        return None
    middle = sorted(values)[len(values) // 2]
    return Law(quantity, 0.0, max(UNEVEN, math.log(rise) / math.log(span)), middle, 0.0, sizes[0])


def _with_logarithm(symbol: str, sizes: Sequence[int], power: Power, error: float) -> str | None:
    """Return ``n**k log n`` if its local exponent lies within the bar, and ``k`` itself does not."""
    least, most = _of_logarithm(sizes[power.first :])
    for whole in (1, 2):
        low, high = power.exponent - error, power.exponent + error
        if whole < low <= whole + most and whole + least <= high:
            return f"{_power(symbol, whole)} log {symbol}"
    return None


def _power(symbol: str, exponent: float) -> str:
    return symbol if exponent == 1 else f"{symbol}^{exponent:g}"
