"""state-leak: no call leaves anything behind that a later call, or its backward, can feel."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.behaviour.effects import moved_parameters, state_of
from verifykit.experiments.behaviour.growth import CALLS, growth_of
from verifykit.experiments.behaviour.passes import (
    both_gradients,
    differentiable_outputs,
    disagreement,
    gradients,
    leaves_of,
)
from verifykit.experiments.behaviour.state import Snapshot, kept_by, line_of_change, same, tensors_kept
from verifykit.experiments.observation import outputs_of, plain_outputs
from verifykit.results import Finding, Location, Severity, Verified
from verifykit.spec.building import raised_at, raised_location
from verifykit.spec.subject import Subject


@check("state-leak", family="behaviour", requires=("determinism",))
def state_leak(subject: Subject) -> Iterator[Finding | Verified]:
    """A call leaves nothing behind: later calls and backwards, at any size, are those of a fresh module.

    What:
        Calls one module at several sizes and with several values and compares each output with that of a fresh module;
        updates the parameters and compares again. Runs two forwards and then their two backwards, and compares the
        gradients with those of fresh modules. Counts the tensors that stay alive over calls, and containers that grow.

    Why it matters:
        A mask cached for the first length is wrong for the second; a graph kept from the last batch breaks the next
        backward; activations appended to a list fill the memory after an hour.

    Wrong:
        def forward(self, x):
            if self.mask is None:
                self.mask = torch.ones(x.shape[1], x.shape[1]).tril()
            return x.mT @ self.mask  # another length fails, or broadcasts

    Right:
        def forward(self, x):
            if self.mask is None or self.mask.shape[0] != x.shape[1]:
                self.mask = torch.ones(x.shape[1], x.shape[1]).tril()
            return x.mT @ self.mask

    When to ignore:
        When the state is the purpose and the caller resets it, as in a streaming layer.
    """
    outputs = plain_outputs(subject)
    if not outputs:
        raise Skip("the module returns no tensor")
    one, other = state_of(subject.build()), state_of(subject.build())
    if any(name not in other or not same(value, other[name]) for name, value in one.items()):
        raise Inconclusive("two modules built under one seed differ, so a call cannot be held against a fresh module's")
    for search in (_other_sizes, _other_parameters, _interleaved):
        finding = next(search(subject), None)
        if finding is not None:
            yield finding
            return
    growth = list(_growth(subject))
    yield from growth
    yield Verified(
        "outputs, gradients and live tensors after calls at other sizes and values", len(_sizes(subject)) + 4
    )


def _sizes(subject: Subject) -> list[dict[str, int]]:
    """The usual sizes, then others in an order that a cache for the first, the longest or the last one gets wrong."""
    usual = subject.spec.usual_sizes
    larger = {symbol: size + 3 for symbol, size in usual.items()}
    single = [{**usual, symbol: size + 1} for symbol, size in usual.items()]
    doubled = {symbol: 2 * size for symbol, size in usual.items()}
    smaller = {symbol: max(1, size - 1) for symbol, size in usual.items()}
    return [usual, larger, *single, smaller, doubled, usual] if usual else [usual, usual]


def _other_sizes(subject: Subject) -> Iterator[Finding]:
    module = subject.build()
    before = kept_by(module)
    history: list[str] = []
    for seed, sizes in enumerate(_sizes(subject)):
        inputs = subject.draw(sizes, seed=seed)
        at = ", ".join(f"{symbol} = {size}" for symbol, size in sizes.items()) or "the usual sizes"
        try:
            expected = outputs_of(subject, subject.build(), inputs)
        except Exception:  # not a size for this module, whatever was called before
            continue
        try:
            actual = outputs_of(subject, module, inputs)
        except Exception as error:
            message = f"after {_told(history)}, a call at {at} raises{raised_at(error)}: {one_line(error)}"
            message += "; a fresh module accepts it"
            yield Finding(message + _blamed(before, module), None, {"sizes": sizes}, raised_location(error))
            return
        found = disagreement(actual, expected)
        if found is not None:
            yield Finding(
                f"after {_told(history)}, {found['output']} at {at} differs from a fresh module's"
                f"{_blamed(before, module)}",
                None,
                {"sizes": sizes, **found},
                _where_it_is_kept(subject),
            )
            return
        history.append(at)


def _told(history: Sequence[str]) -> str:
    return f"{len(history)} calls" if len(history) > 1 else f"a call at {history[0]}" if history else "no call"


def _blamed(before: Snapshot, module: nn.Module) -> str:
    after = kept_by(module)
    names = list(dict.fromkeys([*before.changed(after), *before.grown(after)]))
    return f"; it keeps {', '.join(names[:3])} between calls" if names else ""


def _where_it_is_kept(subject: Subject) -> Location | None:
    module = subject.build()

    def probe() -> Any:
        return tuple((name, id(value)) for name, value in tensors_kept(module)), len(kept_by(module).values)

    return line_of_change(partial(outputs_of, subject, module, subject.draw()), probe)


def _other_parameters(subject: Subject) -> Iterator[Finding]:
    """What is computed from parameters must not be kept past an update, as training makes it."""
    module, fresh, inputs = subject.build(), subject.build(), subject.draw()
    before = kept_by(module)
    if not any(True for _ in module.parameters()):
        return
    with suppress(Exception):
        outputs_of(subject, module, inputs)
        results = []
        for part in (module, fresh):
            part.train()
            with moved_parameters(part, 1.25, 0.125):
                part.eval()
                results.append(outputs_of(subject, part, inputs))
        found = disagreement(results[0], results[1])
        if found is not None:
            yield Finding(
                f"after an update of the parameters, {found['output']} still follows the old ones"
                f"{_blamed(before, module)}",
                None,
                found,
                _where_it_is_kept(subject),
            )


def _interleaved(subject: Subject) -> Iterator[Finding]:
    """Forward, backward, forward, backward on one module; then both forwards before both backwards on another."""
    for training in (False, True):
        try:
            if None in [gradients(subject, subject.build(training=training), seed) for seed in (0, 1)]:
                continue
        except Exception:  # that it has no backward is for the gradient checks to say
            continue
        found_in_order: list[list[dict[str, Tensor]]] = []
        for together in (False, True):
            module = subject.build(training=training)
            before = kept_by(module)
            order = "forward, forward, backward, backward" if together else "forward, backward, forward, backward"
            try:
                found_in_order.append(both_gradients(subject, module, together=together))
            except Exception as error:
                graphs = [name for name, tensor in tensors_kept(module) if tensor.grad_fn is not None]
                cause = f"; {', '.join(graphs[:3])} holds the graph of an earlier call" if graphs else ""
                yield Finding(
                    f"{order} on one module raises: {one_line(error).partition('. ')[0]}"
                    f"{cause or _blamed(before, module)}",
                    "warning" if together else None,  # few call twice before a backward, and it says so
                    {"mode": "training" if training else "eval", "order": order},
                    _line_of_graph(subject, graphs, training=training),
                )
                return
        for want, have in zip(*found_in_order, strict=True):
            found = disagreement(have, want)
            if found is not None:
                leaf = found.pop("output")
                yield Finding(
                    f"the gradient of {leaf} is another when a second forward comes before the first backward: what "
                    "backward needs is kept where the next call overwrites it",
                    None,
                    {"leaf": leaf, **found},
                )
                return


def _line_of_graph(subject: Subject, names: Sequence[str], *, training: bool) -> Location | None:
    if not names:
        return None
    module = subject.build(training=training)
    inputs, _ = leaves_of(subject, module, 0)

    def probe() -> Any:
        return tuple(name for name, t in tensors_kept(module) if t.grad_fn is not None)

    return line_of_change(lambda: differentiable_outputs(subject, module, inputs, 0), probe)


def _growth(subject: Subject) -> Iterator[Finding]:
    """Tensors made in each call and alive after two more; then containers of plain values that grow with each call."""
    module = subject.build()
    growth = growth_of(subject, module)
    graphs = [name for name, tensor in tensors_kept(module) if tensor.grad_fn is not None]
    evidence: dict[str, Any] = {"calls": CALLS}
    if all(growth.after_collection):
        held = f" in {', '.join(growth.containers)}" if growth.containers else ""
        severity: Severity | None = None if graphs or not growth.containers else "warning"
        evidence["tensors kept by each call"] = [len(some) for some in growth.after_collection]
        evidence["containers that grow"] = growth.containers
        told = ", with the graph of each call" if graphs else ""
        message = f"each call keeps tensors alive for ever{held}{told}"
        yield Finding(message, severity, evidence, _first_line(growth.after_collection))
    elif all(growth.before_collection):
        evidence["tensors kept by each call"] = [len(some) for some in growth.before_collection]
        yield Finding(
            "each call's tensors stay alive in a reference cycle until Python's garbage collector happens to run, and "
            "it does not know their size",
            "warning",
            evidence,
            _first_line(growth.before_collection),
        )
    elif growth.containers:
        name, by = next(iter(growth.containers.items()))

        def probe() -> Any:
            return kept_by(module).lengths.get(name)

        location = line_of_change(partial(outputs_of, subject, module, subject.draw()), probe)
        evidence["containers that grow"] = growth.containers
        yield Finding(
            f"{name} is longer by {by} after each call: memory fills over time", "warning", evidence, location
        )
    elif graphs:
        message = f"{', '.join(graphs[:3])} holds the graph of the last call until the next one; detach() frees it"
        yield Finding(message, "note", {"attributes": graphs})


def _first_line(kept: Sequence[Sequence[Location | None]]) -> Location | None:
    return next((line for lines in kept for line in lines if line is not None), None)
