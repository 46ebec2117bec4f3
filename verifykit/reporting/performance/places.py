"""Lines of the user's code as code spans."""

from verifykit.reporting.escape import code
from verifykit.results.location import Location


def place(location: Location | None) -> str:
    """``layers.py:41`` as Markdown; that it lies elsewhere, where no line of the user's code is known."""
    return code(str(location)) if location else "elsewhere"
