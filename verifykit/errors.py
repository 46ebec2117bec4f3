"""Errors that the person at the keyboard can mend: shown in one or two lines, exit code 2, no traceback."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class UserError(Exception):
    """Something given to verifykit cannot be used. The message says what was given, what was expected, what to do."""

    kind: ClassVar[str] = "usage"


class TargetError(UserError):
    """The target does not exist, cannot be imported, or is nothing that can be audited."""

    kind = "target"


class SpecError(UserError):
    """How to build or feed the target is missing, malformed, or refused by the target itself."""

    kind = "spec"


class ConfigError(UserError):
    """``[tool.verifykit]`` or ``__verifykit__`` holds something that is not understood."""

    kind = "config"


class OutputError(UserError):
    """A report cannot be written where it was asked for."""

    kind = "output"


def did_you_mean(given: str, valid: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` (leading space) for the valid name nearest to ``given``, or ``""``."""
    names = {name.casefold(): name for name in valid}
    nearest = get_close_matches(given.casefold(), names, n=1, cutoff=0.6)
    return f" Did you mean {names[nearest[0]]!r}?" if nearest else ""


def one_line(error: BaseException) -> str:
    """Return ``TypeName: first line of its message``, for quoting somebody else's exception inside ours."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
