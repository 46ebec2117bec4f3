"""What a module may turn out to be: another operation, with how its state, inputs and outputs correspond."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from verifykit.spec.reference import Reference


@dataclass(frozen=True)
class Candidate:
    """An operation that a module may be: ``reference`` builds and calls it, with all its arguments.

    ``name`` is how a person would write it, ``torch.nn.Linear(6, 4)``. ``operation`` names what it is, or, where there
    are ``deviations``, what it is but for these: phrases such as "the variance is unbiased (divided by n - 1)".
    ``rank`` orders candidates that do the same, the simplest first: modules before functions, few arguments before
    many.
    """

    name: str
    reference: Reference
    operation: str
    deviations: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True)
class Arrangement:
    """The state of a candidate as a function of that of the target: ``arrange`` maps tensors by the target's names to
    tensors by the candidate's, differentiably, for any values.

    ``notes`` say what is harmless ("weight is transposed"), ``deviations`` what makes another operation of it ("the
    kernel is flipped", "gates in the order i, f, o, g where torch has i, f, g, o").
    """

    arrange: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    notes: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """How a candidate gives what the target gives: its inputs in ``order`` (positions among the target's inputs), its
    state by ``arrangement``, and each output of the target, by place, as ``scale * candidate + offset`` of the place
    in ``outputs``.

    ``residual`` is the greatest difference that was left where it was first looked at, relative to the spread of the
    values: at rounding level for a match, above for one that is merely close.
    """

    candidate: Candidate
    arrangement: Arrangement
    order: tuple[int, ...]
    outputs: Mapping[str, str]
    scale: float = 1.0
    offset: float = 0.0
    residual: float = 0.0
    order_notes: tuple[str, ...] = ()
    order_deviations: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the outputs are the candidate's as they are."""
        return self.scale == 1.0 and self.offset == 0.0

    @property
    def deviations(self) -> tuple[str, ...]:
        """What makes another operation of it."""
        return (*self.candidate.deviations, *self.arrangement.deviations, *self.order_deviations)

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs and leaves it the same operation, but for factor and offset."""
        return (*self.arrangement.notes, *self.order_notes)
