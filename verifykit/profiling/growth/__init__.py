"""How the cost of a module grows along each free dimension of its contract, beside that of its reference."""

import time
from collections.abc import Mapping

import torch

from verifykit.profiling.growth.laws import counted_law, noisy_law
from verifykit.profiling.growth.lines import growing_lines
from verifykit.profiling.growth.point import Measured
from verifykit.profiling.growth.series import ENOUGH, PAGING, Series, series
from verifykit.profiling.growth.work import likely_exponents
from verifykit.results.growth import Growth, GrowthPoint, Law
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject
from verifykit.spec.threads import threads_for

SYMBOLS = 4
# The share of the time that is left to the fits.
FITTING = 0.15
# Bytes, just below the 32 MiB beyond which glibc always maps.
LARGE_BLOCK = 31 * 2**20


def grown(subject: Subject, reference: Reference | None, sizes: Mapping[str, int], *, seconds: float) -> list[Growth]:
    """Return for each of the first four free symbols what a training step costs over a geometric series of sizes, all
    other symbols being as in ``sizes``, with the laws that the figures follow; in about ``seconds`` altogether.

    The reference is measured at the same sizes, in turn. All is measured on one thread, whatever is set, because the
    size at which torch starts to use several would look like a law. Symbols of which not a single size could be
    measured are left out; nothing that the module raises passes through.
    """
    found = []
    ends = time.perf_counter() + seconds
    symbols = subject.spec.free[:SYMBOLS]
    _settle_allocator()
    with threads_for(0):
        for place, symbol in enumerate(symbols):
            share = (ends - time.perf_counter()) / (len(symbols) - place)
            measured = series(subject, reference, symbol, sizes, seconds=share * (1 - FITTING))
            if measured.own:
                others = {name: size for name, size in sizes.items() if name != symbol}
                found.append(_growth(symbol, measured, others, str(reference) if reference else None))
    return found


def _growth(symbol: str, measured: Series, others: dict[str, int], reference: str | None) -> Growth:
    return Growth(
        symbol=symbol,
        points=[_plain(point) for point in measured.own],
        laws=_laws(symbol, measured.own),
        stopped=measured.stopped,
        sizes=others,
        lines=growing_lines(measured.own),
        reference=reference if measured.reference else None,
        reference_points=[_plain(point) for point in measured.reference],
        reference_laws=_laws(symbol, measured.reference),
    )


def _plain(point: Measured) -> GrowthPoint:
    return GrowthPoint(point.size, point.seconds, point.peak, point.saved, point.operators)


def _laws(symbol: str, points: list[Measured]) -> list[Law]:
    if not points:
        return []
    sizes = [point.size for point in points]
    laws = [
        _time_law(symbol, points),
        counted_law("peak memory", symbol, sizes, [point.peak for point in points]),
        counted_law("saved bytes", symbol, sizes, [point.saved for point in points]),
        counted_law("operators", symbol, sizes, [point.operators for point in points]),
    ]
    return [law for law in laws if law is not None]


def _time_law(symbol: str, points: list[Measured]) -> Law | None:
    steady = [point for point in points if point.paging <= PAGING]
    if len(steady) >= ENOUGH:
        points = steady
    sizes = [point.size for point in points]
    work, flops, operators = zip(*((p.work.bytes, p.work.flops, p.operators) for p in points), strict=True)
    return noisy_law(
        "time",
        symbol,
        sizes,
        [point.seconds for point in points],
        [point.uncertainty for point in points],
        held=[point.held for point in points],
        likely=likely_exponents(sizes, [work, flops, operators]),
    )


def _settle_allocator() -> None:
    """Free one large block: from then on glibc serves smaller ones from memory that it keeps, rather than, depending
    on what was freed before, mapping them anew at every step (mallopt(3), M_MMAP_THRESHOLD).
    """
    torch.empty(LARGE_BLOCK, dtype=torch.uint8)
