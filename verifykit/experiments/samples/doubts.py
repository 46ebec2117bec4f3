"""How sure it is that what lies along a dimension are samples, which are independent of one another."""

import inspect
import re
from dataclasses import replace

from torch.nn.modules.batchnorm import _BatchNorm

from verifykit.experiments.influence import documentation, name_words
from verifykit.experiments.observation import SURELY_BATCH, Batch, batch_of
from verifykit.experiments.samples.mixing import kept_outputs, mixes
from verifykit.results import OutputFacts
from verifykit.spec.declared import GIVEN
from verifykit.spec.dims import symbols
from verifykit.spec.domain import Below
from verifykit.spec.inference.names import role_of
from verifykit.spec.model import InputSpec
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.subject import Subject

# Inputs that say which rows belong together.
_GROUPING = r"batch|.*_batch|batch_(idx|ind(ex|ices))|segment_?ids?|cu_?seq_?lens?|offsets?|groups?|adj(acency)?|adj_.*"
# What lets the parts of one example, or all samples of a batch, act on one another by design.
_INTERACTING = {
    "set", "sets", "graph", "graphs", "node", "nodes", "point", "points", "cloud", "pairwise", "contrastive",
    "sinkhorn", "minibatch", "neighbor", "neighbour", "knn", "cluster", "clustering", "gnn", "gcn", "gat", "gram",
    "moe", "expert", "experts", "router", "routing", "whitening", "listwise", "ranking", "unbatched", "episode",
    "prototypical",
}  # fmt: skip
_INTERACTING_TEXT = (
    r"(across|over|within|along) (the )?(mini-?)?batch|in-batch|mini-?batch (statistic|std|standard|discriminat)"
    r"|batch (statistic|std|hard)|set of|unbatched|pairwise|contrastive|each other"
)


def as_batched(subject: Subject) -> Subject:
    """Return ``subject`` with a dimension for samples added to its inputs, if nothing was said of them but that they
    have two dimensions, what lies along the first of these mixes, and along the added one nothing does. A module that
    takes one sequence and a batch of them alike is so fed with one sequence by the search for inputs.
    """
    return subject.once("as batched", lambda: _as_batched(subject))


def why_not_samples(subject: Subject) -> str | None:
    """Return why the question does not arise for ``subject``: no batch, or rows that other inputs tie together."""
    batch = batch_of(subject)
    if batch is None:
        return "no dimension of the inputs counts samples, or the outputs' shapes follow no law"
    for name in _arguments(subject):
        if re.fullmatch(_GROUPING, name, re.IGNORECASE) or role_of(name) == "edges":
            return f"its forward may be told by {name} which rows belong together, so they are no independent samples"
    for entry in subject.spec.inputs:
        if role_of(entry.name) in ("edges", "edge_values") or re.fullmatch(_GROUPING, entry.name, re.IGNORECASE):
            return f"input {entry.name} says which rows belong together, so they are no independent samples"
        if entry.shape.count(batch.symbol) > 1:
            return f"input {entry.name} has {batch.symbol} twice: it relates the rows to one another"
        if isinstance(entry.domain, Below) and batch.symbol in symbols(entry.domain.bound):
            return f"input {entry.name} counts in {batch.symbol}: its values point at rows"
    return None


def _arguments(subject: Subject) -> list[str]:
    try:
        return list(inspect.signature(subject.build().forward).parameters)
    except (TypeError, ValueError):
        return []


def doubt_of(subject: Subject, batch: Batch) -> str:
    """Return why what lies along ``batch`` may not be meant as independent samples; empty where nothing says so."""
    module, first = subject.build(), subject.spec.inputs[0]
    claims = sorted(_INTERACTING & set(name_words(subject)))
    if claims:
        return f"its name says {claims[0]!r}"
    said = re.search(_INTERACTING_TEXT, documentation(subject), re.IGNORECASE)
    if said:
        return f"its docstring says {said[0]!r}"
    if any(isinstance(part, _BatchNorm) and part.running_mean is None for part in module.modules()):
        return "a batch normalisation in it is told to use the batch's statistics always (track_running_stats=False)"
    if re.fullmatch(SURELY_BATCH, batch.symbol) or any(isinstance(p, _BatchNorm) for p in module.modules()):
        return ""
    if re.search(r"\bbatch", documentation(subject), re.IGNORECASE):
        return ""
    other = _independent_elsewhere(subject, batch)
    if other is not None:
        return f"along dimension {other} of {first.name} nothing mixes: that may be the batch"
    if len(first.shape) < 3 and first.dtype in ("float", "complex"):
        return f"{first.name} may be one set or sequence, not a batch of samples"
    return ""


def _as_batched(subject: Subject) -> Subject:
    spec, batch = subject.spec, batch_of(subject)
    given = any(spec.sources.get(f"inputs.{e.name}", GIVEN[0]) in GIVEN for e in spec.inputs)
    flat = [e for e in spec.inputs if len(e.shape) == 2]
    if batch is None or given or len(flat) < len(spec.inputs) or why_not_samples(subject):
        return subject
    if not kept_outputs(subject, batch) or not mixes(subject, batch):
        return subject
    for place in (0, 1):
        shapes = [(*e.shape[:place], "batch", *e.shape[place:]) for e in spec.inputs]
        entries = tuple(replace(e, shape=shape) for e, shape in zip(spec.inputs, shapes, strict=True))
        fed = replace(subject, spec=replace(spec, inputs=entries), _shared={})
        try:
            fed.try_once()
            wider = batch_of(fed)
            if wider is None or not kept_outputs(fed, wider):
                continue
        except Exception:  # it takes two dimensions only
            continue
        if not mixes(fed, wider):
            return fed
    return subject


def _independent_elsewhere(subject: Subject, batch: Batch) -> int | None:
    """The dimension of the first input, beside that of the samples, along which samples keep to themselves."""
    entry, laws = subject.spec.inputs[0], learn_outputs(subject)
    for axis, dim in enumerate(entry.shape):
        if dim == batch.symbol or dim not in subject.spec.free:
            continue
        other = Batch(str(dim), tuple(_axis(e, dim) for e in subject.spec.inputs), tuple(_axis(o, dim) for o in laws))
        if any(at is not None for at in other.outputs) and not mixes(subject, other):
            return axis
    return None


def _axis(described: InputSpec | OutputFacts, symbol: int | str) -> int | None:
    return list(described.shape).index(symbol) if symbol in described.shape else None
