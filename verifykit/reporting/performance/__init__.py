"""What a module costs, for its Markdown report: the answer first, what to do next, then the figures behind both."""

from collections.abc import Iterator

from verifykit.reporting.escape import code, inline
from verifykit.reporting.performance.baseline import against_baseline
from verifykit.reporting.performance.cost import costs
from verifykit.reporting.performance.growth import growth
from verifykit.reporting.performance.operators import operators
from verifykit.reporting.performance.roofline import roofline
from verifykit.reporting.performance.summary import disturbed, how_compared, setting, summary
from verifykit.reporting.performance.where import where
from verifykit.results.performance import Advice, Measurements


def section(measured: Measurements, heading: str) -> Iterator[str]:
    """Yield the paragraphs of the section, whose own heading begins with ``heading``, such as ``##``; what was not
    measured is left out.
    """
    profile = measured.profile
    yield f"{heading} What it costs"
    if profile is None:
        yield f"Not measured: {inline(measured.reason or 'no reason given')}."
        return
    yield inline(summary(measured))
    if measured.reason:
        yield f"Not all was measured: {inline(measured.reason)}."
    below = f"{heading}#"
    if measured.advice:
        yield f"{below} What to do"
        yield "\n".join(_advice(number, one) for number, one in enumerate(measured.advice, 1))
    yield f"{below} Time, memory, work"
    against = f" The reference is {code(measured.reference.name)}, in the same run." if measured.reference else ""
    yield f"{inline(setting(profile))}{against} Times are the median of a call ± the interquartile range."
    yield from costs(measured, [text for text in (disturbed(measured), how_compared(measured)) if text])
    if profile.where is not None:
        yield from where(profile.where, below)
    if measured.roofline is not None:
        yield from roofline(measured.roofline, below)
    yield from growth(measured.growth, below)
    yield from operators(profile, below)
    if measured.baseline is not None:
        yield from against_baseline(measured.baseline, below)
    if measured.trace:
        yield f"Chrome trace of one step, for Perfetto: {code(measured.trace)}, beside this page."


def _advice(number: int, one: Advice) -> str:
    where = f" ({code(str(one.location))})" if one.location else ""
    return f"{number}. {inline(one.message)}{where}"
