"""compile: torch.compile changes neither outputs nor gradients."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.errors import one_line
from verifykit.experiments.observation import batch_of
from verifykit.experiments.passes import NOT_REPEATED, Pass, evidence_of, repeats, rounding_of, run_pass, worst_of
from verifykit.profiling.compiled import quiet_compiler
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.subject import Subject
from verifykit.targets import display_path


@check("compile", family="tooling", requires=("determinism",), default=False)
def compiled(subject: Subject) -> Iterator[Finding | Verified]:
    """Outputs and gradients are the same under torch.compile, in one graph that serves every call.

    What:
        Compiles the module in eval mode with the backend aot_eager, which captures graphs forward and backward and runs
        them by PyTorch's own kernels, and with inductor where a C++ compiler works, and compares outputs and gradients
        with eager mode in double precision up to rounding. Graph breaks are named with their lines, as is what makes
        it compile anew at calls of the same shape, or at every new batch size.

    Why it matters:
        Code that asks whether it is being compiled, keeps state in Python or lies about an operator computes something
        else once compiled. A graph break or a recompilation at each step costs more than compiling gains.

    Wrong:
        def forward(self, x):
            self.step += 1  # an integer on the module is a constant to the compiler: each call compiles anew
            return self.layer(x) * min(1.0, self.step / 1000)

    Right:
        def forward(self, x):
            self.step.add_(1)  # a buffer
            return self.layer(x) * (self.step / 1000).clamp(max=1.0)

    When to ignore:
        When the module will not be compiled.
    """
    try:
        expected = run_pass(subject, subject.build(), subject.draw())
        tolerances = {**dict.fromkeys(expected.tensors, 0.0), **rounding_of(subject)}
    except Exception as error:
        raise Skip(f"it cannot be run forward and backward: {one_line(error)}") from None
    with quiet_compiler():
        said = [*_examined(subject, expected, tolerances)]
    yield from said


def _examined(subject: Subject, expected: Pass, tolerances: Mapping[str, float]) -> Iterator[Finding | Verified]:
    compilation = _Compilation(subject, "aot_eager")
    try:
        found = compilation.run()
    except Exception as error:
        yield Finding(f"torch.compile refuses it: {_first_sentence(error)}", "warning", location=raised_location(error))
        return
    worst = worst_of(found.tensors, expected.tensors, tolerances)
    if worst is not None and worst[1].excess > 1:
        if not repeats(subject):
            raise Inconclusive(NOT_REPEATED)
        name, difference = worst
        yield Finding(
            f"under torch.compile, {name} is not what it is in eager mode",
            None,
            evidence_of(name, difference, "compiled", "eager"),
        )
        return
    graphs = compilation.graphs
    backends, apart = ["aot_eager"], worst[1].error if worst else 0.0
    slow = [*_recompilations(subject, compilation), *_graph_breaks(subject)]
    yield from slow
    try:  # slow itself, and not worth it for what nobody will compile as it is
        native = None if slow else _Compilation(subject, "inductor").run()
    except Exception as error:
        if "Cxx" in type(error).__name__ or "compiler" in str(error).lower():  # none here: aot_eager must do
            native = None
        else:
            yield Finding(f"the backend inductor cannot compile it: {_first_sentence(error)}", "warning")
            return
    if native is not None:
        backends.append("inductor")
        worst = worst_of(native.tensors, expected.tensors, tolerances)
        if worst is not None and worst[1].excess > 1:
            name, difference = worst
            yield Finding(
                f"compiled by inductor, {name} is another, while aot_eager agrees: the compiler is wrong, or the fake "
                "kernel of an operator is",
                "warning",
                evidence_of(name, difference, "inductor", "eager"),
            )
            return
        apart = max(apart, worst[1].error if worst else 0.0)
    yield Verified(
        f"outputs and gradients compiled by {' and '.join(backends)}, in {graphs} graph{'s' * (graphs != 1)}",
        len(backends),
        apart,
        f"{max(tolerances.values(), default=0.0):.1g}, from rounding",
    )


class _Compilation:
    """A module under torch.compile, and how many graphs have been compiled for it so far."""

    def __init__(self, subject: Subject, backend: str) -> None:
        self.subject = subject
        self.graphs = 0
        self.module = subject.build()
        compile_graph: Callable[..., Any] = torch._dynamo.lookup_backend(backend)

        def counting(graph: Any, inputs: Any) -> Any:
            self.graphs += 1
            return compile_graph(graph, inputs)

        torch._dynamo.reset()
        self.optimised: nn.Module = torch.compile(self.module, backend=counting)  # type: ignore[assignment]

    def run(self, sizes: Mapping[str, int] | None = None, seed: int = 0) -> Pass:
        """Run it forward and backward at ``sizes``."""
        inputs = self.subject.draw(sizes, seed=seed)
        return run_pass(self.subject, self.module, inputs, lambda _, fed: self.subject.call(self.optimised, fed))

    def compiles_at(self, sizes: Mapping[str, int] | None = None, seed: int = 0) -> bool:
        """Whether running it there compiles a graph."""
        before = self.graphs
        self.run(sizes, seed)
        return self.graphs > before


def _recompilations(subject: Subject, compilation: _Compilation) -> Iterator[Finding]:
    """Calls of one shape first, then three other batch sizes, of which the first may well compile for any size."""
    try:
        if all(compilation.compiles_at(seed=seed) for seed in (1, 2)):
            yield _recompilation("at every call, inputs of the same shape", compilation, None)
            return
        batch = batch_of(subject)
        if batch is None:
            return
        usual = subject.spec.usual_sizes[batch.symbol]
        others = [{batch.symbol: usual + more} for more in (1, 2, 3)]
        if all(compilation.compiles_at(sizes) for sizes in others):
            yield _recompilation(f"for every size of {batch.symbol}", compilation, {batch.symbol: usual + 4})
    except Exception as error:
        yield Finding(f"compiled, it raises at a later call: {_first_sentence(error)}", "warning")


def _recompilation(when: str, compilation: _Compilation, sizes: Mapping[str, int] | None) -> Finding:
    told = ""
    try:
        with torch._dynamo.config.patch(error_on_recompile=True):
            compilation.run(sizes, seed=3)
    except Exception as error:
        told = str(error)
    guard = re.search(r"- \d+/\d+: (.+?)(?:  #|\n|$)", told)
    place = re.findall(r'File "(.+?)", line (\d+)', told)
    return Finding(
        f"torch.compile compiles it anew {when}" + (f", since this held before: {guard[1].strip()}" if guard else ""),
        "warning",
        {"graphs": compilation.graphs},
        Location(display_path(place[0][0]), int(place[0][1])) if place else None,
    )


def _graph_breaks(subject: Subject) -> Iterator[Finding]:
    """One finding for all graph breaks, with the line of each."""
    module = subject.build()
    positional, named = subject.arguments([tensor.clone() for tensor in subject.draw()])
    try:
        explained: Any = torch._dynamo.explain(module)(*positional, **named)
    except Exception:  # its own backend is another one; that it compiles is known
        return
    breaks: dict[Location | None, str] = {}
    for entry in explained.break_reasons:
        frame = entry.user_stack[-1] if entry.user_stack else None
        place = Location(display_path(frame.filename), frame.lineno or 1) if frame else None
        explanation = re.search(r"Explanation: (.+)", str(entry.reason))
        breaks.setdefault(place, (explanation[1] if explanation else str(entry.reason).partition("\n")[0])[:200])
    if breaks:
        (location, reason), *others = breaks.items()
        more = f"; and at {len(others)} more lines" if others else ""
        evidence = {"lines": ", ".join(str(place) for place in breaks if place)}
        yield Finding(f"torch.compile breaks the graph: {reason}{more}", "warning", evidence, location)


def _first_sentence(error: BaseException) -> str:
    return one_line(error)[:240]
