"""Which built-in it is, in words: a section of the Markdown page, and lines of the terminal."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from tabulate import tabulate

from verifykit.reporting import units
from verifykit.reporting.curve_text import break_texts, curve_rows
from verifykit.reporting.escape import block, code, inline, visible
from verifykit.reporting.verdict import short_name
from verifykit.results import Audit
from verifykit.results.identity import Curve, Decomposition, Identity, Likeness

# How a difference begins that is a thing: "its initialisation", "a factor of 2".
_THINGS = ("a ", "an ", "its ")


def lines(audit: Audit) -> list[str]:
    """Return what is known of the identity of a target as plain lines, harmless to a terminal; none if nothing is."""
    identity = audit.identity
    if identity is None:
        return []
    name, told = short_name(audit), []
    if identity.likeness is not None:
        before, after = _told(identity.likeness)
        told.append(f"{name} {before} {identity.likeness.name} {after}")
    if identity.decomposition is not None:
        told.append(f"{name} = {identity.decomposition.text}")
        if identity.decomposition.unexplained:
            told[-1] += f" ({_share(identity.decomposition)} unexplained)"
    if identity.curve is not None and identity.curve.breaks:
        told.append(f"{name} has {_list(break_texts(identity.curve))}")
    if identity.suggestion:
        told.append(identity.suggestion)
    return [visible(" ".join(line.split())) for line in told]


def section(audit: Audit, heading: str) -> Iterator[str]:
    """Yield the paragraphs that say which built-in a target is; none if nothing is known."""
    identity = audit.identity
    if identity is None or identity == Identity():
        return
    yield f"{heading} Which built-in is it"
    if identity.likeness is not None:
        yield from _likeness(short_name(audit), identity.likeness)
    if identity.decomposition is not None:
        yield from _decomposition(short_name(audit), identity.decomposition)
    if identity.suggestion:
        yield f"**Use it instead:** {inline(identity.suggestion)}."
    if identity.curve is not None:
        yield from _curve(short_name(audit), identity.curve)


def _told(likeness: Likeness) -> tuple[str, str]:
    """How a target relates to the other operation: what stands before its name and what after."""
    match likeness.relation:
        case "identical" | "identical up to":
            return "is", _but_for(likeness.up_to)
        case "close":
            because = f": {'; '.join(likeness.deviations)}" if likeness.deviations else ""
            return "is close to", f"but not equal{because}"
        case "none":
            return "does not do what is done by", ""


def _but_for(differences: Sequence[str]) -> str:
    """Sentences, "weight is transposed", say how it is the same; things, "its initialisation", up to what."""
    things = [one for one in differences if one.startswith(_THINGS)]
    sentences = [one for one in differences if one not in things]
    parts = [f"where {'; '.join(sentences)}"] if sentences else []
    parts += [f"up to {'; '.join(things)}"] if things else []
    return ", ".join(parts)


def _likeness(name: str, likeness: Likeness) -> Iterator[str]:
    before, after = _told(likeness)
    yield f"{code(name)} {before} {code(likeness.name)}{f' {inline(after)}' if after else ''}."
    for note in likeness.notes:
        yield f"Note: {inline(note)}."
    if likeness.examples:
        yield _tested(likeness.examples, likeness.worst, likeness.domain)
    if likeness.evidence:
        yield _table(("evidence", "value"), [(inline(k), code(units.plain(v))) for k, v in likeness.evidence.items()])


def _decomposition(name: str, found: Decomposition) -> Iterator[str]:
    yield block(f"{name} = {found.text}")
    if found.unexplained:
        yield f"{_share(found)} is not explained by the terms that are known."
    rows = [
        (code(term.text), code(f"{term.coefficient:.6g}"), "exactly" if term.exact else "fitted")
        for term in found.terms
    ]
    if rows:
        yield _table(("term", "coefficient", ""), rows)
    yield _tested(found.examples, found.worst, found.domain)


def _curve(name: str, curve: Curve) -> Iterator[str]:
    yield f"{code(name)} does this to each element by itself, in eval mode:"
    yield _table(("", ""), [(inline(what), inline(text)) for what, text in curve_rows(curve)])
    if curve.chart is not None:
        beside = f" beside {curve.nearest}" if curve.nearest else ""
        yield f"![{inline(name + beside)}]({quote(curve.chart)})"


def _tested(examples: int, worst: float | None, domain: str) -> str:
    error = "" if worst is None else f", with a greatest error of {worst:.2g} relative to the greatest value"
    return f"Compared at {examples} points{error}.{f' Tested: {inline(domain)}.' if domain else ''}"


def _share(found: Decomposition) -> str:
    share = f"{found.unexplained:.2%}" if found.unexplained >= 1e-4 else f"{found.unexplained:.1e}"
    return f"{share} of its variance"


def _list(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True)
