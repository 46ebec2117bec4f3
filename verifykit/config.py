"""``[tool.verifykit]`` of pyproject.toml, and ``__verifykit__`` of a class, as typed data. Unknown keys are refused."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from verifykit.errors import ConfigError, did_you_mean

Multiple = Annotated[float, msgspec.Meta(gt=0)]
Exponent = Annotated[float, msgspec.Meta(ge=0)]


class Budgets(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What a target may cost; ``None`` sets no limit.

    ``max_slowdown`` bounds the time of forward and of a training step, ``max_memory_ratio`` the peak memory of a step,
    both as multiples of the reference's. ``max_time_exponent`` maps free symbols to the greatest exponent with which
    the time of a step may grow along them.
    """

    max_slowdown: Multiple | None = None
    max_memory_ratio: Multiple | None = None
    max_time_exponent: dict[str, Exponent] = {}


class TargetConfig(Budgets, frozen=True, rename="kebab"):
    """What is pinned for one target, in pyproject or as its class attribute ``__verifykit__``.

    ``init`` maps constructor arguments to values, ``inputs`` maps forward arguments to ``float[N, 5] in (0, 1)``,
    ``reference`` is the target to compare with, ``allow`` maps check ids to the reason why a finding is meant; budgets
    are keys beside these.
    """

    init: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    reference: str | None = None
    allow: dict[str, str] = {}


class Config(msgspec.Struct, frozen=True, rename="kebab"):
    """``[tool.verifykit]``: what to audit, with which checks, and what fails the run."""

    targets: list[str] = []
    select: list[str] = []
    ignore: list[str] = []
    fail_on: Literal["error", "warning", "never"] = "error"
    load: list[str] = []
    target: dict[str, TargetConfig] = {}


def load_config(start: Path) -> Config:
    """Return the configuration of the nearest pyproject.toml at or above ``start``; an empty one where there is none.

    Raises:
        ConfigError: the file is no TOML, or its table holds an unknown key or a value of the wrong type.
    """
    for folder in [start, *start.parents]:
        path = folder / "pyproject.toml"
        if path.is_file():
            return _read(path)
    return Config()


def parse_target_config(data: Any, where: str) -> TargetConfig:
    """Return ``data`` as a :class:`TargetConfig`; ``where`` names its place in errors.

    Raises:
        ConfigError: an unknown key, or a value of the wrong type.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{where} must be a table or dict, not {type(data).__name__}.")
    return _convert(data, TargetConfig, where)


def merged_budgets(layers: Sequence[Budgets]) -> Budgets:
    """Return the budgets of all ``layers``, each limit from the first that sets it; exponents symbol by symbol."""
    return Budgets(
        max_slowdown=next((one.max_slowdown for one in layers if one.max_slowdown is not None), None),
        max_memory_ratio=next((one.max_memory_ratio for one in layers if one.max_memory_ratio is not None), None),
        max_time_exponent={name: limit for one in reversed(layers) for name, limit in one.max_time_exponent.items()},
    )


def _read(path: Path) -> Config:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}") from error
    table = document.get("tool", {}).get("verifykit", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path.name}: [tool.verifykit] must be a table.")
    where = f"{path.name} [tool.verifykit]"
    _refuse_unknown(table, Config, where)
    targets = table.get("target", {})
    if isinstance(targets, dict):
        for name, entry in targets.items():
            parse_target_config(entry, f'{path.name} [tool.verifykit.target."{name}"]')
    return _convert(table, Config, where)


_T = TypeVar("_T", bound=msgspec.Struct)


def _convert(data: dict[str, Any], kind: type[_T], where: str) -> _T:
    _refuse_unknown(data, kind, where)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from error


def _refuse_unknown(data: dict[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    known = [entry.encode_name for entry in msgspec.structs.fields(kind)]
    for key in data:
        if key not in known:
            raise ConfigError(
                f"{where}: unknown key {key!r}: expected one of {', '.join(known)}.{did_you_mean(str(key), known)}"
            )
