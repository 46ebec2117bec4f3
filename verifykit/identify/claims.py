"""Which operations a target says that it is, by its name or the first sentence of its docstring."""

import inspect
import re

from torch import nn

from verifykit.identify.definitions.definition import Definition
from verifykit.identify.definitions.registry import DEFINITIONS
from verifykit.spec.subject import Subject

# Words of a name that do not change what it claims. Any other does: an AdaptiveLayerNorm claims something else.
_NEUTRAL = re.compile(
    "my|custom|own|simple|naive|manual|plain|basic|vanilla|standard|torch|pytorch|py|reference|ref|layer|module|function"
    "|func|fn|op|impl|implementation|explicit|handwritten|scratch|from|fused|loss|criterion|activation|act"
)

_LOSS = {"loss", "criterion"}

# What a first sentence may begin with before it names what is claimed, and how it may go on after that.
_OPENING = re.compile(
    "an?|the|this|own|custom|simple|plain|basic|standard|manual|naive|explicit|our|implements?|implementation|of"
    "|computes?|apply|applies|performs|is|classic|usual|numerically|stable"
)
_SUFFIX = re.compile("loss|layer|activation|function|module|cell|operation|operator|criterion")
# What follows "between" may make it another operation: the divergence between two Gaussians.
_GOING_ON = re.compile("over|of|for|with|on|as|in|from|written|to|using|across|along|via|per|,")
# A sentence with one of these says that it is something else, or more.
_BUT = re.compile(
    r"\b(but|not|without|instead|except|unlike|like|variant\w*|version|modif\w*|approximat\w*|plus|conditional|adaptive"
    r"|residual|followed|generali[sz]\w*|extended|weighted sum|combin\w*|similar|inspired|based on|style|and)\b"
)


def claimed(subject: Subject) -> tuple[Definition, ...]:
    """Return the definitions of what ``subject`` is called, or of what its docstring says first that it is."""
    return subject.once("claims", lambda: _by_name(_name(subject)) or _by_docstring(_docstring(subject)))


def _by_name(name: str) -> tuple[Definition, ...]:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[dD]?", name)]
    # Digits belong to the word before them: l1, 2d, relu6.
    words = re.sub(r" (?=\d)", "", " ".join(words)).split()
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            outside = words[:start] + words[start + length :]
            found = _called("".join(words[start : start + length]))
            is_loss = all(max(definition.takes) > 1 for definition in found)
            if found and all(map(_NEUTRAL.fullmatch, outside)) and (is_loss or not _LOSS & {*outside}):
                return found
    return ()


def _by_docstring(text: str) -> tuple[Definition, ...]:
    sentence = re.split(r"\.(?:\s|$)|\n\s*\n|[:;(]", text.strip(), maxsplit=1)[0].lower().replace("\n", " ")
    if _BUT.search(sentence):
        return ()
    words = re.findall(r"[a-z0-9]+|,", sentence.replace("'s", ""))
    while words and _OPENING.fullmatch(words[0]):
        words.pop(0)
    for length in range(min(6, len(words)), 0, -1):
        rest = words[length:]
        if rest and _SUFFIX.fullmatch(rest[0]):
            rest = rest[1:]
        found = _called("".join(words[:length]))
        if found and (not rest or _GOING_ON.fullmatch(rest[0])):
            return found
    return ()


def _called(name: str) -> tuple[Definition, ...]:
    name = name.replace("isation", "ization")
    return tuple(definition for definition in DEFINITIONS if name in definition.names)


def _name(subject: Subject) -> str:
    target = subject.target
    return type(target.obj).__name__ if target.kind == "instance" else target.label


def _docstring(subject: Subject) -> str:
    """The target's own: what is inherited speaks of another."""
    thing = type(subject.target.obj) if isinstance(subject.target.obj, nn.Module) else subject.target.obj
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "")
