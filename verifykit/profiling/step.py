"""A training step in parts, on inputs of its own."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from verifykit.profiling.graph import leads_back, sequence_number
from verifykit.profiling.state import unchanged
from verifykit.profiling.workload import Workload

T = TypeVar("T")


def on_a_step(load: Workload, measure: Callable[["TrainingStep"], T]) -> T:
    """Return what ``measure`` makes of a training step of ``load``, in training mode where the module runs in it, else
    in the mode that it is in. The module is left as it was. What the module raises in both passes through.
    """
    with load.default():
        try:
            with unchanged(load.module), load.training():
                return measure(TrainingStep(load))
        except Exception:
            with unchanged(load.module):
                return measure(TrainingStep(load))


class TrainingStep:
    """``prepare()`` once; then ``feed()`` makes copies of the inputs, as fresh data would be, ``forward()`` calls the
    module on them and nothing else, ``backward()`` frees the graph, ``drop()`` the results; ``whole()`` is all of it.
    """

    def __init__(self, load: Workload) -> None:
        self.load = load
        self._began = 0
        self._arguments: Any = ((), {})
        self._fed: Any = ((), {})
        self._gradients: Any = None
        self.result: Any = None
        # Whether the graph has nodes of earlier calls: a backward that frees them could not be repeated.
        self.leads_back = False

    def prepare(self) -> None:
        """Note what the module is called with."""

        def note(_: Any, positional: Any, named: Any) -> None:
            self._arguments = _copies((positional, named))

        self._began = sequence_number()
        hook = self.load.module.register_forward_pre_hook(note, with_kwargs=True, prepend=True)
        try:
            self.load.forward()
        finally:
            hook.remove()

    def feed(self) -> None:
        """Make the inputs of the next call."""
        self._fed = _copies(self._arguments)

    @property
    def fed(self) -> list[Tensor]:
        """The tensors of the next call."""
        return [leaf for leaf in tree_leaves(self._fed) if isinstance(leaf, Tensor)]

    def forward(self) -> None:
        """Call the module, and hold what it returns."""
        positional, named = self._fed
        self.result = self.load.module(*positional, **named)

    def backward(self) -> None:
        """Compute all gradients, and hold them; frees the graph unless later calls lead back into it."""
        if self.load.differentiable:
            outputs = self.load.outputs(self.result)
            self.leads_back = leads_back(outputs, self._began)
            self._gradients = self.load.vjp(outputs, keep=self.leads_back)()

    def drop(self) -> None:
        """Let go of inputs, results and gradients."""
        self._fed = self.result = self._gradients = None

    def whole(self) -> None:
        """Run all parts once, leaving nothing behind."""
        for part in (self.feed, self.forward, self.backward, self.drop):
            part()


def _copies(value: Any) -> Any:
    return tree_map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, value)
