"""The planted bugs, found by reading the folders; importing none of them."""

import ast
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One file: the check that must catch ``Wrong`` and say nothing of ``Right``."""

    path: Path
    caught_by: str
    what: str

    @property
    def family(self) -> str:
        return self.path.parent.name

    @property
    def id(self) -> str:
        return f"{self.family}/{self.path.stem}"

    def target(self, twin: str) -> str:
        return f"{self.path}:{twin}"


def entries() -> list[Entry]:
    """Return all of them, by family and name."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.py"))]


def _read(path: Path) -> Entry:
    tree = ast.parse(path.read_text())
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "CAUGHT_BY"
    }
    return Entry(path, values["CAUGHT_BY"], (ast.get_docstring(tree) or "").partition("\n")[0])
