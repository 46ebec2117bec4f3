"""How people use a class: examples in its docstring and calls in the project's files, read, never run."""

import ast
import copy
import inspect
import os
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from verifykit.spec.model import DType

# Files of a project that are read, and the size above which one is left out.
FILES, CHARACTERS = 400, 400_000

_MAKERS: dict[str, DType] = {
    "rand": "float", "randn": "float", "zeros": "float", "ones": "float", "empty": "float", "full": "float",
    "randint": "long",
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One use: constructor arguments, and dtype and shape of the tensors that it is called with, by place or name."""

    init: dict[str, Any]
    inputs: dict[int | str, tuple[DType, tuple[int, ...]]] = field(default_factory=dict)


def documented_examples(obj: Any) -> list[Example]:
    """Return the uses of a class in its own docstring: ``>>>`` lines and fenced or indented code."""
    text = inspect.getdoc(obj) or ""
    prompted = "\n".join(re.findall(r"^\s*(?:>>>|\.\.\.) ?(.*)$", text, re.MULTILINE))
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    indented = re.findall(r"::\s*\n((?:\s*\n|[ \t]+.*\n?)+)", text)
    return [use for code in (prompted, *fenced, *indented) for use in uses(code, obj)]


def project_examples(obj: Any, root: Path) -> list[Example]:
    """Return the uses of a class in the Python files below ``root``; none where the class is no part of it."""
    try:
        own = Path(inspect.getfile(obj)).resolve()
    except (TypeError, OSError):
        return []
    if not own.is_relative_to(root) or "site-packages" in own.parts:
        return []
    return [
        use
        for path, text in _sources(root)
        if obj.__name__ in text and (path.resolve() == own or not re.search(rf"^class {obj.__name__}\b", text, re.M))
        for use in uses(text, obj)
    ]


def uses(code: str, obj: Any) -> list[Example]:
    """Return the calls of ``obj`` with literal arguments in ``code``, and what its instances are called with."""
    try:
        tree = ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError):
        return []
    reader = _Reader(obj)
    reader.visit(tree)
    return reader.found


@lru_cache(maxsize=1)
def _sources(root: Path) -> list[tuple[Path, str]]:
    """The Python files below ``root`` that belong to the project, with their text; read once in a run."""
    paths = [*islice(_walked(root), FILES)]
    return [(p, p.read_text(encoding="utf-8", errors="replace")) for p in paths if p.stat().st_size <= CHARACTERS]


def _walked(root: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(n for n in inner if not n.startswith(".") and n not in ("site-packages", "node_modules"))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


class _Reader(ast.NodeVisitor):
    """Follows simple assignments from top to bottom."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj
        self.found: list[Example] = []
        self.values: dict[str, Any] = {}
        self.tensors: dict[str, tuple[DType, tuple[int, ...]]] = {}
        self.instances: dict[str, Example] = {}

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        targets, values = [*node.targets], [node.value]
        if len(targets) == 1 and isinstance(targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            targets, values = [*targets[0].elts], [*node.value.elts]
        for target, value in zip(targets, values, strict=False):
            if not isinstance(target, ast.Name):
                continue
            if (use := self._construction(value)) is not None:
                self.instances[target.id] = use
            elif (tensor := self._tensor(value)) is not None:
                self.tensors[target.id] = tensor
            elif (literal := self._literal(value)) is not None:
                self.values[target.id] = literal[0]

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        use = self._construction(node)
        if use is not None:
            self.found.append(use)
            return
        called = self.instances.get(node.func.id) if isinstance(node.func, ast.Name) else self._construction(node.func)
        if called is not None:
            inputs: dict[int | str, Any] = {n: self._tensor(argument) for n, argument in enumerate(node.args)}
            inputs |= {k.arg: self._tensor(k.value) for k in node.keywords if k.arg}
            known = {key: tensor for key, tensor in inputs.items() if tensor is not None}
            if known:
                self.found.append(Example(called.init, known))

    def _construction(self, node: ast.expr) -> Example | None:
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != self.obj.__name__:
            return None
        try:
            names = list(inspect.signature(self.obj).parameters)
        except (TypeError, ValueError):
            return None
        pairs = [*zip(names, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
        literals = {name: self._literal(value) for name, value in pairs}
        if len(pairs) < len(node.args) + len(node.keywords) or any(v is None for v in literals.values()):
            return None
        return Example({name: literal[0] for name, literal in literals.items() if literal is not None})

    def _literal(self, node: ast.expr) -> tuple[Any] | None:
        """The value of a literal, of a name that stands for one, or of arithmetic on these, in a tuple."""
        filled = _Filled(self.values).visit(copy.deepcopy(node))
        try:
            return (ast.literal_eval(filled),)
        except (ValueError, SyntaxError, TypeError, RecursionError):
            return None

    def _tensor(self, node: ast.expr) -> tuple[DType, tuple[int, ...]] | None:
        """Dtype and shape of a name or call that makes a tensor."""
        if isinstance(node, ast.Name):
            return self.tensors.get(node.id)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        name = node.func.attr
        if name not in _MAKERS:  # torch.randn(2, 3).double(), .requires_grad_(), .random_(5), .softmax(1)
            made = self._tensor(node.func.value)
            return ("long", made[1]) if made and name in ("long", "random_") else made
        sizes = [self._literal(argument) for argument in node.args]
        if any(size is None for size in sizes):
            return None
        shape = _shape(name, [size[0] for size in sizes if size is not None])
        told = next((ast.unparse(k.value) for k in node.keywords if k.arg == "dtype"), "")
        dtype: DType = "long" if "int" in told or "long" in told else "bool" if "bool" in told else _MAKERS[name]
        return (dtype, shape) if shape is not None else None


class _Filled(ast.NodeTransformer):
    """Names that stand for literals replaced by them, and arithmetic on integers done."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.values[node.id]) if node.id in self.values else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.BinOp(left=ast.Constant(value=int(a)), op=op, right=ast.Constant(value=int(b))):
                match op:
                    case ast.Add():
                        return ast.Constant(a + b)
                    case ast.Sub():
                        return ast.Constant(a - b)
                    case ast.Mult():
                        return ast.Constant(a * b)
                    case ast.FloorDiv() if b:
                        return ast.Constant(a // b)
        return node


def _shape(maker: str, arguments: Sequence[Any]) -> tuple[int, ...] | None:
    """The shape in the arguments of a function that makes a tensor."""
    if maker == "randint":
        arguments = [a for a in arguments if isinstance(a, tuple | list)]
    elif maker == "full":
        arguments = arguments[:1]
    if len(arguments) == 1 and isinstance(arguments[0], tuple | list):
        arguments = arguments[0]
    shape = tuple(arguments)
    return shape if all(type(size) is int and size >= 0 for size in shape) else None
