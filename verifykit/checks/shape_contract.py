"""shape-contract: output shapes follow one law over all sizes."""

from collections.abc import Iterator, Mapping
from functools import partial

import msgspec

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.results import Finding, Location, OutputFacts, Verified
from verifykit.spec.building import raised_at, raised_location
from verifykit.spec.outputs import UNKNOWN, learn_outputs, observe, predict
from verifykit.spec.strategies import refute, sizes
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

EXAMPLES = 60


class WrongShape(Exception):
    """The outputs are not those that the law predicts."""


@check("shape-contract", family="shape")
def shape_contract(subject: Subject) -> Iterator[Finding | Verified]:
    """The output's shape follows one law, at every size of the symbolic dimensions.

    What:
        Learns the law of every output dimension at a few sizes, then draws other sizes of every symbolic dimension,
        a batch of 0 and of 1 included, and compares the output's shape with the law's prediction. The sizes that
        refute it are shrunk to the smallest.

    Why it matters:
        A dimension that disappears at batch size one breaks the last batch of an epoch, or broadcasts silently in
        the loss that follows.

    Wrong:
        def forward(self, x):
            return self.score(x).squeeze()  # (1, 1) becomes ()

    Right:
        def forward(self, x):
            return self.score(x).squeeze(-1)  # (1, 1) becomes (1,)

    When to ignore:
        When the module is meant for some sizes only. Then pin the dimension in the input's spec instead.
    """
    free = subject.spec.free
    if not free:
        raise Skip("no input has a symbolic dimension; write one as a name, such as float[N, 5]")
    outputs = learn_outputs(subject)
    if not outputs:
        raise Inconclusive("the number or the rank of the outputs changes with the sizes, so no law could be learnt")

    tried = set[tuple[int, ...]]()

    refused: list[tuple[Mapping[str, int], Exception]] = []

    def follows(drawn: Mapping[str, int]) -> None:
        tried.add(tuple(drawn.values()))
        try:
            _compare(subject, outputs, drawn)
        except WrongShape:
            raise
        except Exception as error:
            if not _is_too_small(subject, drawn):
                raise
            refused.append((drawn, error))

    refuted = refute(follows, sizes(subject.spec), examples=EXAMPLES, seed=subject.seed)
    if refuted is not None:
        drawn, error = refuted
        if isinstance(error, WrongShape) and _follows_the_values(subject, drawn):
            raise Inconclusive("the output's shape depends on the values of the input, not on its sizes alone")
        yield _finding(subject, drawn, error)
        return
    yield Verified(f"output shape is {_laws(outputs)} at drawn sizes 1 to 12", len(tried) - len(refused))
    if refused:
        smallest, refusal = min(refused, key=lambda pair: sum(pair[0].values()))
        yield msgspec.structs.replace(_finding(subject, smallest, refusal), severity="note")
    batch = free[0]
    for size in (1, 0):
        edge = {**subject.spec.usual_sizes, batch: size}
        try:
            follows(edge)
        except Exception as error:
            yield _finding(subject, edge, error)
            return
    yield Verified(f"output shape at {batch} = 1 and {batch} = 0", 2)
    if any(UNKNOWN in output.shape for output in outputs):
        raise Inconclusive(f"no law was found for the dimensions marked ? in {_laws(outputs)}")


def _compare(subject: Subject, outputs: list[OutputFacts], drawn: Mapping[str, int]) -> None:
    actual = [shape for _, shape in observe(subject, drawn).outputs]
    predicted = [predict(output, {**subject.spec.bound, **drawn}) for output in outputs]
    if len(actual) != len(predicted):
        raise WrongShape(f"{len(actual)} outputs where {len(predicted)} were predicted")
    for index, (shape, law) in enumerate(zip(actual, predicted, strict=True)):
        if len(shape) != len(law) or any(want not in (None, size) for size, want in zip(shape, law, strict=True)):
            name = "the output" if len(actual) == 1 else f"output {index}"
            wanted = ", ".join("?" if size is None else str(size) for size in law)
            raise WrongShape(f"{name} has shape {list(shape)} where [{wanted}] was predicted by {_laws(outputs)}")


def _follows_the_values(subject: Subject, drawn: Mapping[str, int]) -> bool:
    shapes = [observe(subject, drawn, seed=seed).outputs for seed in range(5)]
    return any(other != shapes[0] for other in shapes)


def _finding(subject: Subject, drawn: Mapping[str, int], error: BaseException) -> Finding:
    fed = {entry.name: list(subject.spec.shape(entry, drawn)) for entry in subject.spec.inputs}
    at = ", ".join(f"{symbol} = {size}" for symbol, size in drawn.items())
    evidence = {"sizes": dict(drawn), "input shapes": fed}
    if isinstance(error, WrongShape):
        return Finding(f"at {at}, {error}", evidence=evidence, location=_where_ranks_part(subject, drawn))
    return Finding(
        f"at {at}, the module raises{raised_at(error)}: {one_line(error)}",
        "warning" if drawn[subject.spec.free[0]] <= 1 else "error",  # it may mean to refuse what is no batch
        evidence,
        raised_location(error),
    )


def _is_too_small(subject: Subject, drawn: Mapping[str, int]) -> bool:
    """Whether sizes other than the batch's may be below the least that the module takes, as a kernel has one."""
    usual = subject.spec.usual_sizes
    batch = subject.spec.free[0]
    ordinary = {**drawn, batch: usual[batch]}
    if all(ordinary[symbol] >= usual[symbol] for symbol in ordinary):
        return False
    try:
        observe(subject, ordinary)
    except Exception:
        return True
    return False


def _where_ranks_part(subject: Subject, drawn: Mapping[str, int]) -> Location | None:
    """The first operation that gives another number of dimensions at ``drawn`` than at the usual sizes."""
    usual, odd = (trace(partial(observe, subject, sizes)) for sizes in (subject.spec.usual_sizes, drawn))
    for one, other in zip(usual, odd, strict=False):
        if one.name != other.name or [t.ndim for t in one.outputs] != [t.ndim for t in other.outputs]:
            return other.location
    return None


def _laws(outputs: list[OutputFacts]) -> str:
    return ", ".join(f"[{', '.join(map(str, output.shape))}]" for output in outputs)
