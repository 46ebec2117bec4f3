"""Text of audited code made harmless: names, docstrings and messages cannot break a page or a terminal."""

import html
import re

# An underscore between word characters is plain text to renderers; everything else here could start something.
_MARKDOWN = re.compile(r"([\\`*\[\]|~$]|(?<!\w)_|_(?!\w))")
_LINE_START = re.compile(r"^(#|-|\+|=|\d+(?=[.)]))")
_BACKTICKS = re.compile(r"`+")


def visible(text: str) -> str:
    """Return ``text`` with control characters, bidirectional overrides and lone surrogates shown as escapes; newlines
    and tabs stay.
    """
    return "".join(character if _harmless(character) else _code(character) for character in text)


def inline(text: str) -> str:
    """Return ``text`` as Markdown that reads as the text itself, on one line, in a sentence or a table cell."""
    folded = " ".join(visible(text).split())
    escaped = _MARKDOWN.sub(r"\\\1", html.escape(folded, quote=False))
    # Links and mentions that renderers make of bare text.
    escaped = escaped.replace("://", ":&#47;&#47;").replace("www.", "www&#46;").replace("@", "&#64;")
    return _LINE_START.sub(lambda start: f"&#8203;{start[0]}" if start[0][0].isdigit() else f"\\{start[0]}", escaped)


def code(text: str) -> str:
    """Return ``text`` as a code span on one line; a pipe in it would end a table cell, so it is shown as ``¦``."""
    folded = " ".join(visible(text).split()).replace("|", "¦")
    if not folded:
        return "` `"
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(folded)), default=0))
    pad = " " if folded[0] == "`" or folded[-1] == "`" else ""
    return f"{fence}{pad}{folded}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """Return ``text`` as a fenced code block, the fence longer than any run of backticks inside."""
    shown = visible(text).strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    return f"{fence}{language}\n{shown}\n{fence}"


def _harmless(character: str) -> bool:
    return character in "\n\t" or (character.isprintable() and not "\u202a" <= character <= "\u202e")


def _code(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()
