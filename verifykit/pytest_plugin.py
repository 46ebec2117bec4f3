"""The pytest plugin: loaded in every pytest run of a project that has verifykit, so it imports nothing heavy."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verifykit.results import Audit


@pytest.fixture
def audit() -> "Callable[..., Audit]":
    """Audit a target and fail the test on any finding of severity error, or when the target cannot be audited.

    Call it with a target string such as ``"mymodule:MyLayer"`` or with a class or function that can be imported under
    its own name; keywords ``init``, ``inputs``, ``reference`` pin the spec, ``select`` and ``ignore`` take check ids or
    families, ``seed`` fixes every random choice. It returns the audit.
    """

    def run(
        target: Any,
        *,
        init: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
        reference: str | None = None,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        seed: int = 0,
    ) -> "Audit":
        from verifykit.config import TargetConfig
        from verifykit.testing import audit_target, failure_message

        name = target if isinstance(target, str) else f"{target.__module__}:{target.__qualname__}"
        given = TargetConfig(dict(init or {}), dict(inputs or {}), reference)
        result = audit_target(name, given, select=select, ignore=ignore, seed=seed)
        if result.status != "passed":
            pytest.fail(failure_message(result), pytrace=False)
        return result

    return run
