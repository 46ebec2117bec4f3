"""Where reports go, and putting them there whole or not at all."""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from verifykit.errors import OutputError
from verifykit.files import write_whole


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` through a temporary file beside it, making missing folders.

    Raises:
        OutputError: it cannot be written; nothing is left behind.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise _cannot(path, error) from error


def check_writable(path: Path) -> None:
    """Find out before a long run whether ``path`` can be written, leaving nothing behind.

    Raises:
        OutputError: it cannot.
    """
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _cannot(path, error) from error


def report_paths(targets: Sequence[str], formats: Mapping[str, str], output: str) -> dict[Path, tuple[str, str | None]]:
    """Return which files ``--output`` stands for: path -> (format, target), the target ``None`` for all in one file.

    ``formats`` maps the name of each to the ending of its files. ``output`` names a file when one format is wanted and
    it neither ends in a slash nor is a folder; otherwise it is a folder, with a file per target and format.
    """
    if len(formats) == 1 and not output.endswith(("/", os.sep)) and not Path(output).is_dir():
        return {Path(output): (next(iter(formats)), None)}
    names = file_names(targets)
    return {
        Path(output, names[target] + ending): (format, target)
        for target in targets
        for format, ending in formats.items()
    }


def file_names(targets: Sequence[str]) -> dict[str, str]:
    """Return a file name, without an ending, for each target: its last part, or all of it where two would be alike."""
    short = {target: _sanitised(re.split(r"[:.]", target)[-1]) for target in targets}
    taken = Counter(name.casefold() for name in short.values())
    return {t: name if taken[name.casefold()] == 1 else _sanitised(t) for t, name in short.items()}


def _sanitised(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip(".-") or "target"


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write {str(path)!r}: {error.strerror or error}. Give --output a path that can be written."
    )
