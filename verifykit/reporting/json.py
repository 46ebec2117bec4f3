"""JSON in the layout of the contract ``verifykit/1``."""

import math
from typing import Any

import msgspec

from verifykit.results import Report


def render(report: Report) -> str:
    """Return the report as JSON, indented; numbers that are not finite become the strings nan, inf and -inf."""
    document = msgspec.to_builtins(report, enc_hook=str)
    ordered = {key: document[key] for key in ("schema", "verifykit", "environment", "seed", "command", "audits")}
    return msgspec.json.format(msgspec.json.encode(_finite(ordered)), indent=2).decode() + "\n"


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()  # lone surrogates are no JSON
        case dict():
            return {_finite(str(key)): _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value
