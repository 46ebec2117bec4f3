"""Which of several inputs that a module accepts is the one that it is made for."""

from collections.abc import Sequence

from verifykit.spec.inference.documented import Documented
from verifykit.spec.inference.names import Claim
from verifykit.spec.inference.roles import BATCH
from verifykit.spec.inference.shapes import CHANNELS, known_widths
from verifykit.spec.inference.trying import Caller, Entries


def preferred(call: Caller, works: Sequence[Entries], documented: Sequence[Documented], claim: Claim) -> Entries:
    """Return what documentation names first; else, where any number of dimensions goes, two; else the most with a
    batch, yet images rather than volumes.
    """

    def rank(entries: Entries) -> int:
        return len(entries[0].shape)

    # A fixed size of 1 works by broadcasting where a better shape does too.
    works = [way for way in works if not any(1 in entry.shape for entry in way)] or works
    kinds = {rank(entries) for entries in works}
    if len(works) > 1:
        works = [way for way in works if not _swells(call, way)] or works
        least = min(_oddity(call, way) for way in works)
        plain = [way for way in works if _oddity(call, way) == least]
        works = plain if any(rank(way) > 1 for way in plain) else works  # less than that works by broadcasting
    wanted = [told.rank for told in documented]
    wanted += [claim.rank] if claim.rank else []
    wanted += [2] if {2, 3, 4} <= kinds else []
    wanted += [4]
    for kind in wanted:
        for entries in works:
            if rank(entries) == kind and entries[0].shape[:1] in ((BATCH,), ()):
                return entries
    return max(works, key=lambda entries: (entries[0].shape[:1] == (BATCH,), rank(entries), -works.index(entries)))


def _swells(call: Caller, entries: Entries) -> bool:
    """Whether outputs have more dimensions than any input, as where statistics of images broadcast against what is no
    image. Integers, that may stand for vectors, are another matter.
    """
    if any(entry.dtype == "long" for entry in entries):
        return False
    most = max(len(entry.shape) for entry in entries)
    return any(output.ndim > most for output in call(entries).outputs.values())


def _oddity(call: Caller, entries: Entries) -> int:
    """How many dimensions look as if a complaint alone had led to them: of a size that nothing in the module knows, but
    for channels, or equal to another one of the same input.
    """
    known = {*known_widths(call)}
    odd = 0
    for entry in entries:
        odd += sum(
            type(d) is int and d not in known and (at != 1 or d not in CHANNELS) for at, d in enumerate(entry.shape)
        )
        free = [dim for dim in entry.shape if isinstance(dim, str)]
        odd += len(free) - len(set(free))
    return odd
