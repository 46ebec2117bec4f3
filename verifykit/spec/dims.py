"""Symbolic dimensions: an integer, a symbol such as ``N``, or an arithmetic expression such as ``2*heads``."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import add, floordiv, mul, sub

from verifykit.errors import SpecError

Dim = int | str

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.FloorDiv: floordiv,
}


def parse_dim(text: str) -> Dim:
    """Return the dimension that ``text`` says.

    Raises:
        SpecError: ``text`` is neither an integer from 0 up, a name, nor names and integers under ``+ - * //``.
    """
    text = text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
        list(_symbols(tree))
    except (SyntaxError, ValueError):
        raise SpecError(
            f"{text!r} is not a dimension: expected an integer, a name such as N, or arithmetic such as 2*N + 1."
        ) from None
    return tree.value if isinstance(tree, ast.Constant) and isinstance(tree.value, int) else ast.unparse(tree)


def symbols(dim: Dim) -> list[str]:
    """Return the symbols in ``dim``, in order of appearance."""
    return [] if isinstance(dim, int) else list(dict.fromkeys(_symbols(_parsed(dim))))


def evaluate(dim: Dim, sizes: Mapping[str, int]) -> int:
    """Return the size of ``dim`` where every symbol has the size that ``sizes`` gives it."""
    return dim if isinstance(dim, int) else _value(_parsed(dim), sizes)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _symbols(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=int(size)) if not isinstance(size, bool):
            return
        case ast.Name(id=name):
            yield name
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            yield from _symbols(left)
            yield from _symbols(right)
        case _:
            raise ValueError(ast.unparse(node))


def _value(node: ast.expr, sizes: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(size)):
            return size
        case ast.Name(id=name):
            return sizes[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, sizes), _value(right, sizes))
    raise ValueError(ast.unparse(node))
