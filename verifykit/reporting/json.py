"""JSON in the layout of the contract ``verifykit/1``."""

import math
from typing import Any

import msgspec

from verifykit.results import Report


def render(report: Report) -> str:
    """Return the report as JSON, indented; numbers that are not finite become the strings nan, inf and -inf."""
    document = msgspec.to_builtins(report, enc_hook=str)
    ordered = {key: document[key] for key in ("schema", "verifykit", "environment", "seed", "command", "audits")}
    return msgspec.json.format(msgspec.json.encode(finite(ordered)), indent=2).decode() + "\n"


def finite(value: Any) -> Any:
    """Return ``value`` with numbers that are not finite as the strings nan, inf and -inf, as JSON has none."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()  # lone surrogates are no JSON
        case dict():
            return {finite(str(key)): finite(item) for key, item in value.items()}
        case list() | tuple():
            return [finite(item) for item in value]
        case _:
            return value
