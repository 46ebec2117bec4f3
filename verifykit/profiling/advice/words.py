"""Figures as people read them."""


def size(count: float) -> str:
    """Return so many bytes with a unit: ``1.5 kB``, in powers of ten."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def seconds(time: float) -> str:
    """Return a time with a unit: ``3.2 µs``."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if time * factor >= 1:
            return f"{time * factor:.3g} {unit}"
    return f"{time * 1e6:.3g} µs"
