"""What shows a finding again: the command line, and a script that needs nothing but torch and verifykit."""

import ast
import inspect
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from verifykit.config import TargetConfig

# Packages that whoever runs the script has.
AT_HAND = {"torch", "verifykit", *sys.stdlib_module_names}

SCRIPT = """\
# {command}
# The same from one file, which needs torch and verifykit only; it exits with 1 as long as the finding is there.
{source}

if __name__ == "__main__":
    from verifykit.testing import reproduce

    reproduce({check!r}, {target}, init={init!r}, inputs={inputs!r}, reference={reference!r}, seed={seed})
"""


def command_line(command: str, targets: Sequence[str], given: TargetConfig, seed: int, *extra: str) -> str:
    """Return the ``verifykit`` command that repeats what was ``given`` on the command line for ``targets``."""
    words = ["verifykit", command, *targets]
    for name, value in given.init.items():
        words += ["--init", f"{name}={value!r}"]
    for name, description in given.inputs.items():
        words += ["--input", f"{name}: {description}"]
    if given.reference is not None:
        words += ["--reference", given.reference]
    if seed:
        words += ["--seed", str(seed)]
    return shlex.join([*words, *extra])


def script(command: str, check: str, target: str, given: TargetConfig, seed: int) -> str:
    """Return a script that runs ``check`` on ``target`` again, the target's source included; the ``command`` alone
    where that source needs more than torch, or an argument cannot be written down.
    """
    where, _, attribute = target.rpartition(":")
    if not _can_be_written(given):
        return command
    if where.partition(".")[0] in AT_HAND:
        source, repeated = "", repr(target)
    else:
        found = _needed_source(where, attribute.partition(".")[0])
        if found is None:
            return command
        source, repeated = f"\n{found}\n", f'f"{{__file__}}:{attribute}"'
    return SCRIPT.format(
        command=command,
        source=source,
        check=check,
        target=repeated,
        init=given.init,
        inputs=given.inputs,
        reference=given.reference,
        seed=seed,
    )


def _can_be_written(given: TargetConfig) -> bool:
    if given.reference is not None and given.reference.partition(":")[0].partition(".")[0] not in AT_HAND:
        return False
    try:
        ast.literal_eval(repr([*given.init.values()]))
    except (ValueError, SyntaxError):
        return False
    return True


def _needed_source(where: str, name: str) -> str | None:
    """Return the statements of a module that ``name`` depends on, in their order; ``None`` where they import more than
    is at hand, or the source cannot be read.
    """
    try:
        text = Path(where).read_text() if where.endswith(".py") else inspect.getsource(sys.modules[where])
        tree = ast.parse(text)
    except (OSError, TypeError, KeyError, SyntaxError, UnicodeDecodeError):
        return None
    needed, waiting = set[int](), [name]
    holders: dict[str, list[int]] = {}
    for index, statement in enumerate(tree.body):
        for bound in _bound(statement):
            holders.setdefault(bound, []).append(index)
    while waiting:
        for index in holders.get(waiting.pop(), []):
            if index not in needed:
                needed.add(index)
                waiting += [node.id for node in ast.walk(tree.body[index]) if isinstance(node, ast.Name)]
                waiting += _annotated(tree.body[index])
    # A __future__ import changes what the rest means; a star may bind any name.
    always = holders.get("*", []) + [
        index for index, s in enumerate(tree.body) if isinstance(s, ast.ImportFrom) and s.module == "__future__"
    ]
    chosen = [tree.body[index] for index in sorted(needed.union(always))]
    if not needed or not all(_at_hand(statement) for statement in chosen):
        return None
    lines = text.splitlines()
    return "\n".join("\n".join(lines[_first_line(s) - 1 : s.end_lineno]) for s in chosen)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]


def _annotated(statement: ast.stmt) -> Iterator[str]:
    """Names in annotations that are written as strings."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value


def _at_hand(statement: ast.stmt) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = ["" if node.level or node.names[0].name == "*" else node.module or ""]
        else:
            continue
        if any(module.partition(".")[0] not in AT_HAND for module in modules):
            return False
    return True


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
