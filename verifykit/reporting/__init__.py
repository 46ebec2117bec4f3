"""Report formats: one file each. They see results only, never torch."""

from importlib import import_module

from verifykit.results import Report

# Format -> ending of its files. The module of the same name holds `render`, and is imported when it is wanted.
FILE_FORMATS = {"json": ".json", "markdown": ".md"}


def render(report: Report, format: str) -> str:
    """Return ``report`` as the text of a file in one of ``FILE_FORMATS``."""
    text: str = import_module(f"{__name__}.{format}").render(report)
    return text
