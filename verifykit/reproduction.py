"""The command line that does the same again."""

import shlex
from collections.abc import Sequence

from verifykit.config import TargetConfig


def audit_command(targets: Sequence[str], given: TargetConfig, seed: int, *extra: str) -> str:
    """Return the ``verifykit audit`` that repeats what was ``given`` on the command line for ``targets``."""
    words = ["verifykit", "audit", *targets]
    for name, value in given.init.items():
        words += ["--init", f"{name}={value!r}"]
    for name, description in given.inputs.items():
        words += ["--input", f"{name}: {description}"]
    if given.reference is not None:
        words += ["--reference", given.reference]
    if seed:
        words += ["--seed", str(seed)]
    return shlex.join([*words, *extra])
