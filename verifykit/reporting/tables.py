"""Markdown tables."""

from collections.abc import Sequence

from tabulate import tabulate


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a pipe table whose cells are Markdown already."""
    return tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True)
