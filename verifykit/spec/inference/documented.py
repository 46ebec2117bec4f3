"""What a docstring says about shapes: the ``Shape:`` section, and tensors built in examples."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Documented:
    """One shape that documentation gives: its number of named dimensions, whether more may come, and whether one of
    those named is the batch.
    """

    named: int
    open: bool
    batched: bool

    @property
    def rank(self) -> int:
        """The number of dimensions to use: with a batch in front where any number may come."""
        return max(2, self.named + (not self.batched)) if self.open else self.named


def documented_shapes(obj: Any) -> dict[str, list[Documented]]:
    """Return the shapes that the docstring gives for each input, those with a batch first, else in its order.

    Reads lines such as ``- Input: :math:`(N, C_{in}, L)` or :math:`(C_{in}, L)``` of a ``Shape:`` section, and
    ``x: (batch, length, dim)``, ``[B, C, H, W]`` in descriptions of arguments.
    """
    forward = getattr(obj, "forward", None)
    text = "\n".join(filter(None, (inspect.getdoc(obj), inspect.getdoc(forward))))
    found: dict[str, list[Documented]] = {}
    for line in _joined(text):
        matched = re.match(r"^\s*(?:[-*]\s*)?[`*]{0,2}(\w+)[`*]{0,2}\s*(?:\([^)]*\))?\s*:(.*)$", line)
        if matched is None:
            continue
        shapes = [
            _shape(inside) for inside in re.findall(r"[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]", matched[2])
        ]
        told = [shape for shape in shapes if shape is not None]
        if told:
            found.setdefault(matched[1].lower(), sorted(told, key=lambda shape: not shape.batched))
    return found


def _joined(text: str) -> Iterator[str]:
    """Lines, those that continue an item of a list joined to it."""
    item = ""
    for line in text.splitlines():
        if item and line.strip() and not re.match(r"\s*([-*] |[`*]{0,2}\w+[`*]{0,2}\s*(\(.*\))?\s*:)", line):
            item += " " + line.strip()
        else:
            yield item
            item = line
    yield item


def _shape(inside: str) -> Documented | None:
    """Read ``N, C_{in}, H`` or ``*, H``; nothing for other text."""
    bare = re.sub(r"\\(text|math\w+|,)|[{}\\$`]", "", inside).strip().rstrip(",")
    parts = [part.strip() for part in bare.split(",")]
    opened = [part for part in parts if part.startswith("*") or "..." in part]
    named = [part for part in parts if part not in opened]
    if not all(re.fullmatch(r"[A-Za-z0-9_ */+\-^'().]{1,30}", part) for part in named):
        return None
    if len(parts) == 1 and not opened and not re.fullmatch(r"[A-Z]\w*", bare):
        return None
    batched = any(re.fullmatch(r"N|B|bs|b|n|(mini-?)?batch.*|B_.*|.*batch.?size", part) for part in named)
    return Documented(len(named), bool(opened), batched)
