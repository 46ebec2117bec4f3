"""Trying things out must do no harm: no network, no file written or removed outside the folder for temporary ones."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_depth = 0
_installed = False

_REMOVING = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.symlink", "os.link", "shutil.rmtree"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


@contextmanager
def harmless() -> Iterator[None]:
    """Refuse network and changes of files in the body, through the interpreter's audit events.

    Raises:
        PermissionError: in the body, where the code under it tries.
    """
    global _depth, _installed
    tempfile.gettempdir()  # the first call writes a file under a lock that is not reentrant: never from within the hook
    if not _installed:
        sys.addaudithook(_refuse)  # there is no taking it away again
        _installed = True
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _depth:
        return
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise PermissionError("no network while inputs are inferred")
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITING and not _is_scratch(path):
            raise PermissionError(f"no file is written while inputs are inferred: {path}")
    elif event in _REMOVING and not _is_scratch(arguments[0]):
        raise PermissionError(f"no file is changed while inputs are inferred: {arguments[0]}")


def _is_scratch(path: Any) -> bool:
    """Whether it is a temporary file, a device, a descriptor, or Python's own cache of compiled modules."""
    if isinstance(path, int) or path is None:
        return True
    text = os.fsdecode(path)
    if "__pycache__" in text or text.startswith(os.devnull):
        return True
    return Path(text).absolute().is_relative_to(tempfile.gettempdir())
