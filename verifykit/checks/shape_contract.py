"""shape-contract: output shapes follow one law over all sizes."""

from collections.abc import Iterator, Mapping

import torch
from hypothesis import strategies as st

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.observation import batch_of, outputs_of
from verifykit.experiments.shapes.contract import (
    LARGE,
    MOST_ELEMENTS,
    Contract,
    Scan,
    WrongShape,
    elements_of,
    evidence_of,
    where_it_parts,
)
from verifykit.experiments.shapes.refusals import at, complaint, is_own_words
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.outputs import learn_outputs, observe
from verifykit.spec.strategies import GREATEST_SIZE, refute
from verifykit.spec.subject import Subject

EXAMPLES = 25
EXAMPLES_OF_LARGE = 10
# Fewer sizes than this share that behave unlike the rest are exceptions to a law; more, and there was no law.
FEW = 1 / 4


@check("shape-contract", family="shape")
def shape_contract(subject: Subject) -> Iterator[Finding | Verified]:
    """The output's shape follows one law, at every size of the symbolic dimensions.

    What:
        Learns the law of every output dimension at a few sizes, then varies each symbolic dimension alone up to 129,
        and all of them together at random, and compares the output's shape with the law's prediction. The sizes that
        refute it are shrunk to the smallest. All calls are made on one module, so that what it keeps of an earlier
        size shows. Says which sizes the module takes. Batches of 1 and 0 have their own checks.

    Why it matters:
        A size that is wired into a reshape, a slice or a table works in the unit test, and loses samples, swaps
        dimensions or breaks in production.

    Wrong:
        def forward(self, x):
            return x.view(32, -1)  # the batch size of the training run

    Right:
        def forward(self, x):
            return x.view(x.shape[0], -1)

    When to ignore:
        When the module is meant for some sizes only. Then pin the dimension in the input's spec instead.
    """
    free = subject.spec.free
    if not free:
        raise Skip("no input has a symbolic dimension; write one as a name, such as float[N, 5]")
    outputs = learn_outputs(subject)
    if not outputs:
        raise Inconclusive("the number or the rank of the outputs changes with the sizes, so no law could be learnt")
    contract = Contract(subject, outputs)
    batch = batch_of(subject)
    least = {symbol: 2 if batch is not None and symbol == batch.symbol else 1 for symbol in free}
    scans = {symbol: contract.scan(symbol, least[symbol]) for symbol in free}
    drawn = _Drawn(contract, scans)
    # One symbol has been varied already.
    examples = EXAMPLES if subject.elements <= LARGE else EXAMPLES_OF_LARGE
    refuted = refute(drawn.follow, _sizes(least), examples=examples, seed=subject.seed) if len(free) > 1 else None
    broken = refuted[0] if refuted else _first_broken(subject, scans)
    if broken is not None:
        finding = _broken(contract, scans, broken)
        yield finding
        if finding.severity != "note":
            return
    yield Verified(f"output shape is {contract.laws}", drawn.count + sum(len(s.following) for s in scans.values()))
    kept = _first_kept(contract, scans)
    if kept is not None:
        yield kept
        return
    yield from _sizes_taken(contract, scans, least)
    yield from _refused_together(contract, drawn)
    if contract.is_partial:
        raise Inconclusive(f"no law was found for the dimensions marked ? in {contract.laws}")


class _Drawn:
    """Sizes drawn together: how many followed the law, and which raised although no single size is to blame."""

    def __init__(self, contract: Contract, scans: Mapping[str, Scan]) -> None:
        self.contract, self.scans = contract, scans
        self.count = 0
        self.refused: list[tuple[dict[str, int], Exception]] = []

    def follow(self, sizes: dict[str, int]) -> None:
        if elements_of(self.contract.subject, sizes) > MOST_ELEMENTS or self._has_own_reason(sizes):
            return
        try:
            self.contract.hold(sizes)
            self.count += 1
        except WrongShape:
            raise
        except Exception as error:
            self.refused.append((sizes, error))

    def _has_own_reason(self, sizes: Mapping[str, int]) -> bool:
        return any(size in self.scans[symbol].raising for symbol, size in sizes.items())


def _sizes(least: Mapping[str, int]) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries({symbol: st.integers(low, GREATEST_SIZE) for symbol, low in least.items()})


def _first_broken(subject: Subject, scans: Mapping[str, Scan]) -> dict[str, int] | None:
    for scan in scans.values():
        if scan.breaking:
            return {**subject.spec.usual_sizes, scan.symbol: min(scan.breaking)}
    return None


def _broken(contract: Contract, scans: Mapping[str, Scan], sizes: dict[str, int]) -> Finding:
    subject = contract.subject
    try:
        contract.hold(sizes, fresh=True)
    except WrongShape as error:
        wrong = error
    except Exception as error:
        raise Inconclusive(f"at {at(sizes)} it gives an output at one time and raises at another") from error
    else:
        return _kept(contract, sizes, None)
    shapes = [observe(subject, sizes, seed=seed).outputs for seed in range(5)]
    if any(other != shapes[0] for other in shapes):
        raise Inconclusive("the output's shape depends on the values of the input, not on its sizes alone")
    severity, note = _gravity(contract, scans, sizes, wrong)
    return Finding(
        f"at {at(sizes)}, {wrong}{note}", severity, evidence_of(subject, sizes), where_it_parts(subject, sizes)
    )


def _gravity(
    contract: Contract, scans: Mapping[str, Scan], sizes: Mapping[str, int], wrong: WrongShape
) -> tuple[Severity, str]:
    """A lost dimension or a lost sample is a defect; another size may be meant where it begins or ends the range."""
    if wrong.ranks:
        return "error", ""
    batch = batch_of(contract.subject)
    is_plain_vector = len(contract.subject.spec.inputs[0].shape) < 2  # of samples, or one vector: who knows
    if batch and not is_plain_vector and any(axis == batch.outputs[output] for output, axis in wrong.axes):
        return "error", ""
    for symbol, scan in scans.items():
        odd, fine = sorted(scan.breaking), scan.following
        if sizes[symbol] not in scan.breaking or not fine:
            continue
        if len(odd) > FEW * len(scan.taken) and not (odd[0] > fine[-1] or odd[-1] < fine[0]):
            raise Inconclusive(f"no law of a known form fits the output's shape as {symbol} varies")
        if odd[0] > fine[-1]:
            return "warning", f"; up to {symbol} = {fine[-1]} it follows that law: larger inputs may lose their end"
        if odd[-1] < fine[0]:  # such as the five greatest of fewer than five
            return "note", f"; from {symbol} = {fine[0]} on it follows that law"
        return "error", ""
    return "warning", "; it depends on several sizes together"


def _kept(contract: Contract, sizes: Mapping[str, int], error: Exception | None) -> Finding:
    """The module is right at ``sizes`` when fresh, and wrong after other calls."""
    subject = contract.subject
    module, inputs = subject.build(), subject.draw()
    first, second = (outputs_of(subject, module, inputs) for _ in range(2))
    steady = all(torch.equal(first[name], second[name]) for name in first if name in second)
    does = f"raises{complaint(error)}" if error is not None else "gives an output of another shape"
    return Finding(
        f"at {at(sizes)}, a module that has been called at other sizes before {does}; a fresh module does not: it "
        "keeps something from an earlier call that belongs to its size",
        "error" if steady else "warning",  # one that keeps state on purpose changes its outputs too
        evidence_of(subject, sizes),
        raised_location(error) if error is not None else None,
    )


def _first_kept(contract: Contract, scans: Mapping[str, Scan]) -> Finding | None:
    for scan in scans.values():
        for size, error in scan.raising.items():
            sizes = {**contract.subject.spec.usual_sizes, scan.symbol: size}
            try:
                contract.hold(sizes, fresh=True)
            except Exception:  # it raises on a fresh module as well
                continue
            return _kept(contract, sizes, error)
    return None


def _sizes_taken(contract: Contract, scans: Mapping[str, Scan], least: Mapping[str, int]) -> Iterator[Finding]:
    """Say which sizes are taken, where some raise: an exception among them, or the ends of the range."""
    ranges: dict[str, str] = {}
    serious = False
    for symbol, scan in scans.items():
        inner, taken, is_batch = scan.within, scan.taken, least[symbol] == 2
        if not scan.raising or not taken:
            continue
        if inner and len(inner) <= FEW * len(taken):
            yield _exception(contract, scan, min(inner))
            continue
        if inner and not is_batch:
            continue  # multiples, powers and the like: odd-sizes tells
        bounds = [f"from {taken[0]}"] if taken[0] > least[symbol] else []
        bounds += [f"up to {taken[-1]}"] if max(scan.raising) > taken[-1] else []
        ranges[symbol] = f"{symbol} {f'= {_listed(taken)}' if inner else ' '.join(bounds)}"
        serious = serious or (is_batch and not is_own_words(scan.raising[min(scan.raising)]))
    if ranges:
        scan = scans[next(iter(ranges))]
        refused = min(scan.raising)
        sizes = {**contract.subject.spec.usual_sizes, scan.symbol: refused}
        yield Finding(
            f"it takes {', '.join(ranges.values())} only: at {at(sizes)} it raises{complaint(scan.raising[refused])}",
            "warning" if serious else "note",
            evidence_of(contract.subject, sizes),
            raised_location(scan.raising[refused]),
        )


def _exception(contract: Contract, scan: Scan, size: int) -> Finding:
    error = scan.raising[size]
    sizes = {**contract.subject.spec.usual_sizes, scan.symbol: size}
    return Finding(
        f"at {at(sizes)}, the module raises{complaint(error)}; it takes smaller and larger {scan.symbol}",
        "warning" if is_own_words(error) else "error",
        evidence_of(contract.subject, sizes),
        raised_location(error),
    )


def _listed(sizes: list[int]) -> str:
    return ", ".join(map(str, sizes[:6])) + (", …" if len(sizes) > 6 else "")


def _refused_together(contract: Contract, drawn: _Drawn) -> Iterator[Finding]:
    if drawn.refused:
        sizes, error = min(drawn.refused, key=lambda pair: sum(pair[0].values()))
        message = f"at {at(sizes)}, sizes that it takes one by one, the module raises{complaint(error)}"
        yield Finding(message, "note", evidence_of(contract.subject, sizes), raised_location(error))
