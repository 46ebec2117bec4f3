"""One module with its inputs and cotangents, ready to be run forward and backward any number of times."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from verifykit.profiling.graph import leads_back, sequence_number
from verifykit.spec.randomness import seeded
from verifykit.spec.reference import Reference
from verifykit.spec.subject import Subject, named_tensors

DTYPE = torch.float32


class Workload:
    """What is profiled: ``forward()`` calls the module as its user would, ``backward(result)`` computes the vjp of what
    it returned with fixed cotangents, for every floating-point input and every parameter, and keeps the graph for
    another; ``step()`` is both, on a graph of its own.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        arguments: Callable[[Sequence[Any]], tuple[Sequence[Any], Mapping[str, Any]]],
        inputs: Sequence[Tensor],
        *,
        sizes: Mapping[str, int],
        seed: int,
        default_dtype: torch.dtype | None = None,
    ) -> None:
        self.name = name
        self.module = module
        self.sizes = dict(sizes)
        self.inputs = [t.requires_grad_(t.is_floating_point() or t.is_complex()) for t in inputs]
        self.leaves = [t for t in [*self.inputs, *module.parameters()] if t.requires_grad]
        self.cotangents: list[Tensor] = []
        # Whether what the module remembers leads back into the graphs of earlier calls.
        self.keeps_graph = False
        self.forward: Callable[[], Any] = self._plain(arguments)
        self._arguments = arguments
        self._seed = seed
        self._default_dtype = default_dtype

    def prepare(self) -> "Workload":
        """Run once each way, which draws the cotangents; return itself. Whatever the module raises passes through."""
        with seeded(self._seed), self.default():
            result = self._first_forward()
            self.cotangents = [torch.randn_like(t) for t in self.outputs(result)]
            self.backward(result)
        if self.differentiable:
            self.keeps_graph = self._leads_back()
            with contextlib.suppress(Exception), self.training():  # a module need not run in training mode
                self.keeps_graph |= self._leads_back()
        return self

    def on(self, name: str, module: nn.Module) -> "Workload":
        """Return ``module``, called ``name``, with the same inputs; not prepared."""
        return Workload(
            name,
            module,
            self._arguments,
            self.inputs,
            sizes=self.sizes,
            seed=self._seed,
            default_dtype=self._default_dtype,
        )

    @property
    def differentiable(self) -> bool:
        """Whether there is a backward at all."""
        return bool(self.cotangents and self.leaves)

    @property
    def cuda(self) -> bool:
        """Whether any of its tensors is on a CUDA device."""
        return any(t.is_cuda for t in [*self.inputs, *self.module.parameters()])

    def stop_recording(self) -> None:
        """From now on run without gradients, and have no backward."""
        self.forward = torch.no_grad()(self.forward)
        self.leaves = []

    def outputs(self, result: Any) -> list[Tensor]:
        """Return the tensors in what forward returned that a backward can start from."""
        return [t for t in named_tensors(result).values() if t.requires_grad]

    def backward(self, result: Any) -> None:
        """Compute the gradients of all leaves, keeping the graph for the next call."""
        if self.differentiable:
            self.vjp(self.outputs(result))()

    def vjp(self, outputs: Sequence[Tensor], *, keep: bool = True) -> Callable[[], tuple[Tensor | None, ...]]:
        """Return the call that computes the gradients of all leaves and does nothing else; only with ``keep`` it may be
        called again. A graph that later calls lead back into is kept all the same.
        """
        kept = keep or self.keeps_graph
        return partial(
            torch.autograd.grad, list(outputs), self.leaves, self.cotangents, retain_graph=kept, allow_unused=True
        )

    def step(self) -> None:
        """Run forward and backward, leaving nothing behind."""
        result = self.forward()
        if self.differentiable:
            self.vjp(self.outputs(result), keep=False)()

    @contextmanager
    def training(self) -> Iterator[None]:
        """Run the body with the module in training mode, and with random numbers and its buffers put back after."""
        modes = {module: module.training for module in self.module.modules()}
        buffers = {name: t.detach().clone() for name, t in self.module.named_buffers()}
        self.module.train()
        try:
            with seeded(self._seed):
                yield
        finally:
            for module, mode in modes.items():
                module.training = mode
            with torch.no_grad():
                for name, t in self.module.named_buffers():
                    if name in buffers and buffers[name].shape == t.shape:
                        t.copy_(buffers[name])

    @contextmanager
    def default(self) -> Iterator[None]:
        """Run the body with the default dtype of torch that the module needs; every measurement stands in one."""
        before = torch.get_default_dtype()
        torch.set_default_dtype(self._default_dtype or before)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

    def _plain(
        self, arguments: Callable[[Sequence[Any]], tuple[Sequence[Any], Mapping[str, Any]]]
    ) -> Callable[[], Any]:
        positional, named = arguments(self.inputs)
        return partial(self.module, *positional, **named)

    def _on_copies(self) -> Any:
        positional, named = self._arguments([t.clone() for t in self.inputs])
        return self.module(*positional, **named)

    def _leads_back(self) -> bool:
        """Whether a second call does: the first may be its own beginning."""
        with seeded(self._seed), self.default():
            first = self.forward()
            began = sequence_number()
            second = self.forward()
            del first
            return leads_back(self.outputs(second), began)

    def _first_forward(self) -> Any:
        try:
            return self.forward()
        except RuntimeError as error:
            if "leaf Variable" not in str(error):
                raise
            # The module changes its input in place, which autograd forbids on a leaf: from now on, feed a copy.
            self.forward = self._on_copies
            return self.forward()


def workload(subject: Subject, sizes: Mapping[str, int] | None = None) -> Workload:
    """Return the subject in eval mode in single precision, prepared, at ``sizes`` of its free symbols (those left out
    are as usual). Whatever the module raises passes through.
    """
    known = {**subject.spec.usual_sizes, **(sizes or {})}
    return Workload(
        subject.target.name,
        subject.build(DTYPE),
        subject.arguments,
        subject.draw(known, DTYPE),
        sizes=known,
        seed=subject.seed,
        default_dtype=DTYPE if subject.default_follows else None,
    ).prepare()


def reference_workload(
    subject: Subject, reference: Reference, sizes: Mapping[str, int] | None = None, *, name: str | None = None
) -> Workload:
    """Return ``reference`` fed with the same inputs as the subject; called ``name`` if that is given."""
    known = {**subject.spec.usual_sizes, **(sizes or {})}
    return Workload(
        name or str(reference),
        reference.build(DTYPE, subject.device, seed=subject.seed),
        reference.arguments,
        subject.draw(known, DTYPE),
        sizes=known,
        seed=subject.seed,
    ).prepare()
