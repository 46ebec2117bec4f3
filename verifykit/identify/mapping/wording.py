"""How an arrangement is put in words: what is harmless, and what makes another operation of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from verifykit.identify.mapping.assigning import Filler
from verifykit.identify.mapping.slots import Packed, Slot


def wording(plan: Mapping[Slot, Filler], state: Sequence[Packed]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the notes and the deviations of ``plan`` for ``state``. Another name alone is worth no word."""
    notes, deviations = dict[str, None](), dict[str, None]()
    laid_out: defaultdict[str, dict[str, None]] = defaultdict(dict)
    parts_of: defaultdict[str, list[tuple[Slot, Filler]]] = defaultdict(list)
    holds: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for slot, filler in plan.items():
        parts_of[slot.tensor].append((slot, filler))
        holds[filler.source.name][slot.tensor] = None
        if filler.piece.note:
            laid_out[filler.piece.note][filler.source.name] = None
        if filler.source.joined:
            notes[f"{slot.tensor} is made of {filler.source.name}"] = None
        if slot.parameter and not filler.source.parameter:
            deviations[f"its {slot.tensor} is fixed: {filler.source.name} is no parameter"] = None
        elif filler.source.constant is not None:
            notes[f"{filler.source.name} is a plain tensor"] = None
    notes = {_joined(list(names), note): None for note, names in laid_out.items()} | notes
    for packed in state:
        members = sorted(parts_of[packed.name], key=lambda member: member[0].index)
        names = list(dict.fromkeys(filler.source.name for _, filler in members))
        if len(names) > 1:
            notes[f"{packed.name} is made of {', '.join(names)}"] = None
        elif len(members) == len(packed.parts) > 1 and (text := _order(members)):
            deviations[text] = None
    for source, tensors in holds.items():
        if len(tensors) > 1:
            notes[f"{source} holds {' and '.join(tensors)}"] = None
    for packed in state:
        lacking = [slot for slot in packed.slots if slot not in plan]
        if lacking:
            what = (
                ""
                if len(lacking) == len(packed.slots)
                else f"{', '.join(slot.parts[slot.index] for slot in lacking)} of "
            )
            notes[f"it has no {what}{packed.name}, which is {packed.neutral:g} in torch"] = None
    return tuple(notes), tuple(deviations)


def _joined(names: Sequence[str], note: str) -> str:
    """``note`` of one or of several: "W is transposed", "W, V are transposed"."""
    if len(names) == 1:
        return f"{names[0]} {note}"
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return f"{', '.join(shown)} {note.replace('is ', 'are ', 1).replace('has its ', 'have their ', 1)}"


def _order(members: Sequence[tuple[Slot, Filler]]) -> str:
    """What is to be said of the order in which a tensor of the target packs its parts, nothing where it is torch's."""
    theirs = list(members[0][0].parts)
    ours = [slot.parts[slot.index] for slot, _ in sorted(members, key=lambda member: member[1].piece.index)]
    if ours == theirs:
        return ""
    what = "projections" if "q" in theirs else "gates"
    return f"{what} packed in the order {', '.join(ours)} where torch has {', '.join(theirs)}"
