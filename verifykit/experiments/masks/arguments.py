"""Which arguments of a forward are masks, and which dimension each covers."""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from verifykit.experiments.observation import Batch, batch_of, loss_of
from verifykit.spec.dims import Dim
from verifykit.spec.domain import Real
from verifykit.spec.inference.names import role_of
from verifykit.spec.model import InputSpec
from verifykit.spec.subject import Subject

Kind = Literal["padding", "attention", "lengths"]

# Masks that say by name what True means, and those whose purpose leaves no doubt.
TRUE_DROPS = r"(.*_)?pad(ding)?_mask|ignore_mask|.*mask_out"
TRUE_KEEPS = r"valid(_mask)?|.*valid.*|keep(_mask)?|visible.*|observed(_mask)?"
PLAIN = r"(.*_)?(key_)?pad(ding)?_mask|(.*_)?attn_mask|(.*_)?attention_mask|src_mask|tgt_mask|memory_mask|valid_?len.*"
_LENGTHS = r"(.*_)?len(gth)?s|seq_?lens?|.*_lengths?|valid_?lens?"
_ATTENTION = r"(.*_)?attn_mask|(src|tgt|memory|causal)_mask"
_NO_MASKS = r"mask_(ratio|token|prob\w*|type|ids?|value|index|kwargs|cache)|(return|use|num|head|get|output)_.*|.*_fn"
_OWNERS = {"src": r"src|source|x", "tgt": r"tgt|target", "memory": r"memory|context", "key": r"keys?|k"}


@dataclass(frozen=True)
class MaskArgument:
    """A mask: ``shape`` as labels of dimensions, ``covers`` the label of what it hides, ``optional`` where the spec
    does not feed it.
    """

    name: str
    kind: Kind
    shape: tuple[Dim, ...]
    covers: Dim
    dtypes: tuple[str, ...]
    optional: bool


def mask_arguments(subject: Subject) -> Iterator[list[MaskArgument]]:
    """Yield, for each argument of the forward that is a mask, the shapes that it may have, the likeliest first."""
    batch, loss = batch_of(subject), loss_of(subject)
    for entry in subject.spec.inputs:
        if loss is not None and loss.named and loss.target == entry.name:
            continue  # the mask of a segmentation is what is predicted
        if role_of(entry.name) in ("mask", "lengths") or re.fullmatch(_LENGTHS, entry.name):
            found = list(_of_input(subject, batch, entry))
            if found:
                yield found
    for name in _optional(subject):
        options = list(_of_optional(subject, batch, name))
        if options:
            yield options


def _of_input(subject: Subject, batch: Batch | None, entry: InputSpec) -> Iterator[MaskArgument]:
    symbol = batch.symbol if batch else None
    if entry.dtype == "long" and list(entry.shape) == [symbol]:
        for covers in dict.fromkeys(group[0] for group in _positions(subject, batch, entry.name)):
            yield MaskArgument(entry.name, "lengths", entry.shape, covers, ("long",), False)
        return
    data = {d for e in data_inputs(subject, entry.name) for d in e.shape}
    held = [d for d in entry.shape if d in data and d not in (symbol, 1)] or [d for d in entry.shape if d == symbol]
    if not held or entry.dtype == "complex":
        return
    dtype = "real" if isinstance(entry.domain, Real) and entry.dtype == "float" else entry.dtype
    last = held[-1]
    attends = len(held) > 1 and (len(set(held)) < len(held) or _is_keys(subject, last))
    yield MaskArgument(entry.name, "attention" if attends else "padding", entry.shape, last if attends else held[0],
                        (dtype,), False)  # fmt: skip


def _of_optional(subject: Subject, batch: Batch | None, name: str) -> Iterator[MaskArgument]:
    samples: tuple[Dim, ...] = (batch.symbol,) if batch else ()
    for positions in _positions(subject, batch, name):
        if re.fullmatch(_LENGTHS, name):
            yield MaskArgument(name, "lengths", samples, positions[0], ("long",), True)
            continue
        for kind, shapes in _shapes(subject, batch, name, positions):
            for shape in shapes:
                yield MaskArgument(name, kind, shape, positions[0], ("bool", "real", "long"), True)  # fmt: skip


def _shapes(
    subject: Subject, batch: Batch | None, name: str, positions: Sequence[Dim]
) -> list[tuple[Kind, list[tuple[Dim, ...]]]]:
    """The shapes that people give to a mask of this name, likeliest first."""
    samples: tuple[Dim, ...] = (batch.symbol,) if batch else ()
    covers = positions[0]
    # What src_mask covers also looks; a memory mask is looked through by the target, any other by the first input.
    lookers = "tgt_mask" if name.startswith("memory") else name if name.startswith(("src_", "tgt_")) else ""
    queries = _positions(subject, batch, lookers)[0][0]
    padding = [(*samples, covers), (*samples, covers, 1), (*samples, 1, covers), (*samples, 1, 1, covers)]
    if len(positions) > 1:
        padding += [(*samples, *positions), (*samples, 1, *positions)]
    attention = [(queries, covers), (*samples, queries, covers), (*samples, 1, queries, covers)]
    if re.fullmatch(TRUE_DROPS, name):
        return [("padding", padding)]
    kinds: list[tuple[Kind, list[tuple[Dim, ...]]]] = [("padding", padding), ("attention", attention)]
    return kinds[::-1] if re.fullmatch(_ATTENTION, name) and name != "attention_mask" else kinds


def _positions(subject: Subject, batch: Batch | None, name: str) -> list[list[Dim]]:
    """For each input that a mask of this name may be for, its dimensions without samples and features."""
    data = data_inputs(subject, name)
    start = re.sub(r"_?((key_)?(pad(ding)?_|attn_|attention_)?mask|(seq_?)?len(gth)?s?)$", "", name)
    owner = _OWNERS.get(start, rf"{re.escape(start)}.*" if start else None)
    if owner is None and re.fullmatch(r"(attn|attention|key_padding)_mask|mask", name):
        owner = _OWNERS["key"]
    owned = [e for e in data if owner and re.fullmatch(owner, e.name)]
    groups = list[list[Dim]]()
    for entry in owned or data:
        shape = [d for d in entry.shape if d != (batch.symbol if batch else None)]
        free: list[Dim] = [d for d in shape if d in subject.spec.free]
        fixed = shape[:-1] if entry.dtype in ("float", "complex") else shape
        group = free or (list(fixed[:1]) if len(entry.shape) > 1 else [])
        if group and group not in groups:
            groups.append(group)
    return groups


def data_inputs(subject: Subject, name: str) -> list[InputSpec]:
    """Return the inputs that are no masks and no lengths, without the one called ``name``."""
    return [e for e in subject.spec.inputs if role_of(e.name) not in ("mask", "lengths", "edges", "edge_values")
            and not re.fullmatch(_LENGTHS, e.name) and e.name != name]  # fmt: skip


def _is_keys(subject: Subject, dim: Dim) -> bool:
    return any(dim in e.shape for e in subject.spec.inputs if re.fullmatch(r"keys?|k|values?|v|memory|context", e.name))


def _optional(subject: Subject) -> list[str]:
    """The arguments of the forward that are masks, may be left out, and are not in the spec."""
    try:
        parameters = inspect.signature(subject.build().forward).parameters.values()
    except (TypeError, ValueError):
        return []
    if subject.target.kind == "function":
        parameters = inspect.signature(subject.target.obj).parameters.values()
    return [p.name for p in parameters if p.default is None and p.name not in subject.input_names
            and p.name not in subject.spec.init and not re.fullmatch(_NO_MASKS, p.name)
            and (role_of(p.name) == "mask" or re.fullmatch(_LENGTHS, p.name))]  # fmt: skip
