"""A spec as the table that pins it in pyproject.toml."""

from typing import Any

import tomlkit
from tomlkit.items import Item

from verifykit.results import OutputFacts
from verifykit.spec.model import Spec


def as_toml(target: str, spec: Spec, outputs: list[OutputFacts]) -> str:
    """Return ``[tool.verifykit.target."TARGET"]`` with the source of each part as a comment; what TOML cannot hold,
    such as a module, stands there as a comment only.
    """
    init, inputs = tomlkit.table(), tomlkit.table()
    for name, value in spec.init.items():
        source = spec.sources.get(f"init.{name}", "")
        item = _item(value)
        if item is None:
            init.add(tomlkit.comment(f"{name}: a {type(value).__name__} made up by {source}; TOML cannot hold it"))
        else:
            init.add(name, item.comment(source))
    for entry in spec.inputs:
        text = str(entry).partition(": ")[2]
        inputs.add(entry.name, tomlkit.item(text).comment(spec.sources.get(f"inputs.{entry.name}", "")))
    for output in outputs:
        inputs.add(tomlkit.comment(f"output: {output.dtype}[{', '.join(map(str, output.shape))}]"))
    table = tomlkit.table(is_super_table=True)
    if spec.init:
        table.add("init", init)
    table.add("inputs", inputs)
    parents: list[str] = ["tool", "verifykit", "target", target]
    for key in reversed(parents):
        outer = tomlkit.document() if key == "tool" else tomlkit.table(is_super_table=True)
        outer.add(key, table)
        table = outer  # type: ignore[assignment]
    return tomlkit.dumps(table)


def _item(value: Any) -> Item | None:
    try:
        item: Item = tomlkit.item(list(value) if isinstance(value, tuple) else value)
    except (ValueError, TypeError):
        return None
    return item
