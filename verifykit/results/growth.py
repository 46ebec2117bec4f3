"""How cost grows with a size, and how near it comes to what the machine can do, as plain data."""

from typing import Literal

import msgspec

from verifykit.results.location import Location

Quantity = Literal["time", "peak memory", "saved bytes", "operators"]


class Roof(msgspec.Struct, frozen=True):
    """What this machine can do in one dtype on so many threads: FLOPs a second of a large matrix product, bytes a
    second of a stream that fits no cache. ``measured`` says when, as a date.
    """

    dtype: str
    device: str
    threads: int
    flops: float
    bandwidth: float
    measured: str = ""

    def limit(self, flops: float, bytes: float) -> float:
        """Return the least time in which this machine could do so much: Williams, Waterman and Patterson (2009)."""
        return max(flops / self.flops, bytes / self.bandwidth)


class RoofPoint(msgspec.Struct, frozen=True):
    """Forward at one size, under the roof: ``reached`` is the least time that the machine allows over that which was
    measured, from 0 to about 1.
    """

    name: str
    sizes: dict[str, int]
    flops: int
    least_bytes: int
    seconds: float
    reached: float

    @property
    def intensity(self) -> float:
        """FLOPs per byte."""
        return self.flops / self.least_bytes if self.least_bytes else 0.0


class Roofline(msgspec.Struct, frozen=True):
    """The roof, and target and reference under it at several sizes."""

    roof: Roof
    points: list[RoofPoint]
    reference_points: list[RoofPoint] = []
    chart: str | None = None


class GrowthPoint(msgspec.Struct, frozen=True):
    """One size of a series: the time of a step, its peak memory, the bytes saved for backward, and the operators that
    forward dispatches.
    """

    size: int
    seconds: float
    peak: int
    saved: int
    operators: int


class Law(msgspec.Struct, frozen=True):
    """How a quantity grows: as ``size ** exponent`` from ``start`` on, ``exponent`` known to ± ``error``; ``constant``
    is what it costs however small the size is. ``also`` names another law that the figures allow as well, such as
    ``L log L``.
    """

    quantity: Quantity
    exponent: float
    error: float
    constant: float
    coefficient: float
    start: int
    also: str | None = None


class LineGrowth(msgspec.Struct, frozen=True):
    """A line at which more operators are called as the size grows: so many for each unit."""

    location: Location | None
    per_unit: float


class Growth(msgspec.Struct, frozen=True):
    """A series along one free symbol, all else being as usual; ``stopped`` says why it went no further."""

    symbol: str
    points: list[GrowthPoint]
    laws: list[Law]
    stopped: str
    sizes: dict[str, int] = {}
    lines: list[LineGrowth] = []
    reference: str | None = None
    reference_points: list[GrowthPoint] = []
    reference_laws: list[Law] = []
    chart: str | None = None

    def law(self, quantity: Quantity, *, reference: bool = False) -> Law | None:
        """Return the law of ``quantity``, where one was found."""
        laws = self.reference_laws if reference else self.laws
        return next((law for law in laws if law.quantity == quantity), None)
