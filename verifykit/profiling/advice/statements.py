"""The loop in the user's source that makes a line run more often as a size grows."""

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from verifykit.profiling.advice.calls import Frame

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Loop = ast.For | ast.While | _Comprehension

Counts = Counter[tuple[str, int]]


def lines_run(run: Callable[[], Any], files: set[str]) -> Counts:
    """Run ``run`` and return how often each line of ``files`` was come to. A loop comes to its head at each turn."""
    counts: Counts = Counter()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            counts[frame.f_code.co_filename, frame.f_lineno] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return counts


def loop_of(stack: Sequence[Frame], few: Counts, many: Counts) -> Frame | None:
    """Return the level of ``stack`` and the line of the outermost loop around it that turns more often in ``many`` than
    in ``few``; ``None`` where there is no such statement.
    """
    for frame in stack:
        if not frame.is_users:
            continue
        file = frame.frame.f_code.co_filename
        for loop in _around(file, frame.line):
            if any(many[file, line] > few[file, line] for line in _heads(loop)):
                return Frame(frame.frame, _for(loop), frame.instruction)
    return None


def _around(file: str, line: int) -> Iterator[_Loop]:
    """The loops around ``line``, outermost first."""
    for loop in _loops(file):
        if loop.lineno <= line <= (loop.end_lineno or loop.lineno):
            yield loop


@cache
def _loops(file: str) -> list[_Loop]:
    try:
        tree = ast.parse(Path(file).read_text())
    except (OSError, SyntaxError, ValueError):
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, _Loop)]
    return sorted(found, key=lambda loop: (loop.lineno, -(loop.end_lineno or 0)))


def _for(loop: _Loop) -> int:
    """The line of its ``for`` or ``while``."""
    return loop.lineno if isinstance(loop, ast.For | ast.While) else loop.generators[0].target.lineno


def _heads(loop: _Loop) -> set[int]:
    if isinstance(loop, ast.For | ast.While):
        return {_for(loop)}
    result = loop.value if isinstance(loop, ast.DictComp) else loop.elt
    return {result.lineno, _for(loop)}
