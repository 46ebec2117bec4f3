"""How well the name of a target's tensor agrees with that of a candidate's. It orders what is tried, no more."""

import re
from functools import lru_cache

from verifykit.identify.mapping.slots import Slot

# What else people call the words in the names of torch's parameters.
_ALSO = {
    "weight": {"w", "kernel", "gamma", "scale", "gain", "g", "wt"},
    "bias": {"b", "beta", "shift", "offset"},
    "ih": {"x", "i", "input", "inp", "xh"},
    "hh": {"h", "hidden", "recurrent", "u", "rec"},
    "mean": {"mu", "avg"},
    "var": {"variance", "sigma2"},
    "out": {"o", "output", "proj", "final"},
}


def agreement_of_names(name: str, slot: Slot) -> int:
    """Return how well ``name`` agrees with ``slot``, 0 for not at all."""
    ours, theirs = _words(name), _whole_words(slot.tensor)
    score = 2 * len(ours & theirs) + sum(bool(ours & _ALSO.get(word, set())) for word in theirs)
    if ours & slot.aliases:
        score += 3
    if _last(name) in slot.aliases:
        score += 2
    return score


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    words = _whole_words(name)
    return words.union(letter for word in words if len(word) <= 3 for letter in word)


@lru_cache(maxsize=4096)
def _whole_words(name: str) -> frozenset[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", "_", name)
    return frozenset(word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word)


def _last(name: str) -> str:
    """The last letter of a short name such as ``W_xi`` or ``bf``."""
    word = re.split(r"[^A-Za-z]+", name.removesuffix(".weight").removesuffix(".bias"))[-1]
    return word[-1].lower() if 0 < len(word) <= 3 else word.lower()
