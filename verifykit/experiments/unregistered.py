"""Which tensors take part in a call of a module that are neither inputs, nor registered, nor computed in the call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map

from verifykit.experiments.holdings import Held, held_tensors, registered_storages, storage_of
from verifykit.experiments.module_state import alike
from verifykit.experiments.observation import outputs_of
from verifykit.results import Location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject
from verifykit.tracing import Step, trace

# What takes a tensor from wherever it lies: it moves it, or reads its shape alone.
_PLACELESS = {"to", "type_as", "copy_", "cuda", "expand_as", "view_as", "reshape_as", "is_floating_point", "size"}


@dataclass
class Use:
    """Tensors that take part in the output under one name. ``held`` is empty where no attribute leads to them."""

    root: str
    how: str
    location: Location | None
    held: list[Held] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Where each of them stands."""
        return [one.path for one in self.held]


@dataclass(frozen=True)
class Created:
    """A parameter that a call made: where it is first used."""

    shape: tuple[int, ...]
    location: Location | None
    is_random: bool


def called(subject: Subject, module: nn.Module, *, training: bool = False, seed: int = 0, noise: int = 0) -> list[Step]:
    """Return the steps of one call with gradients on, for inputs drawn with ``seed``, and random draws with ``noise``
    besides.
    """
    module.train(training)
    inputs = [tensor.clone() for tensor in subject.draw(seed=seed)]

    def call() -> None:
        with torch.enable_grad(), seeded(seed + noise):
            subject.call(module, inputs)

    # A step of its own holds the inputs, so that they count as known.
    return [Step("inputs", None, (), tuple(inputs)), *trace(call)]


def uses(module: nn.Module, held: Mapping[int, Held], earlier: Sequence[Step], later: Sequence[Step]) -> list[Use]:
    """Return what took part in both of two calls of ``module`` and was neither fed, nor registered, nor computed anew.

    ``held`` are all tensors that it has held so far, by storage.
    """
    known = registered_storages(module)
    lasting = {storage_of(tensor) for step in earlier for tensor in (*step.inputs, *step.outputs)}
    found: dict[str, Use] = {}
    for step in later:
        for tensor in step.inputs:
            key = storage_of(tensor)
            if key not in known and key in lasting:
                known.add(key)
                one = held.get(key)
                root = one.root if one else f"the tensor used at {step.location}"
                how = one.how if one else "held where no attribute leads to"
                use = found.setdefault(root, Use(root, how, (one.location if one else None) or step.location))
                use.tensors.append(one.tensor if one else tensor)
                use.held += [one] if one else []
        known |= {storage_of(tensor) for tensor in step.outputs}
    return list(found.values())


def created_parameters(registered: set[int], calls: Sequence[Sequence[Step]]) -> list[Created]:
    """Return the trainable parameters that the last of ``calls``, made under different seeds, made and used, and that
    were not ``registered`` before it: one for each line.
    """
    lasting = {storage_of(t) for steps in calls[:-1] for step in steps for t in (*step.inputs, *step.outputs)}
    before = [list(_parameters(steps, registered)) for steps in calls[:-1]]
    found: dict[str, Created] = {}
    for index, (step, tensor) in enumerate(_parameters(calls[-1], registered)):
        if storage_of(tensor) in lasting:
            continue
        is_random = any(index < len(other) and not alike(other[index][1].data, tensor.data) for other in before)
        one = found.get(str(step.location))
        if one is None or (is_random and not one.is_random):
            found[str(step.location)] = Created(tuple(tensor.shape), step.location, is_random)
    return list(found.values())


def _parameters(steps: Iterable[Step], registered: set[int]) -> Iterable[tuple[Step, nn.Parameter]]:
    seen = set[int]()
    for step in steps:
        if not any(output.requires_grad for output in step.outputs):  # it is initialised, not used
            continue
        for tensor in step.inputs:
            if not isinstance(tensor, nn.Parameter) or not tensor.requires_grad:
                continue
            if id(tensor) not in seen and all(tensor is not output for output in step.outputs):
                seen.add(id(tensor))
                if storage_of(tensor) not in registered:
                    yield step, tensor


def influences(subject: Subject, module: nn.Module, tensors: Sequence[Tensor]) -> list[str]:
    """Return the modes, ``eval`` and ``training``, in which other values in ``tensors`` change the outputs. The values
    are restored.
    """
    modes = []
    for training in (False, True):
        module.train(training)
        try:
            before = outputs_of(subject, module, subject.draw())
        except Exception:
            continue
        if _changes(tensors, lambda before=before: not alike(before, outputs_of(subject, module, subject.draw()))):  # type: ignore[misc]
            modes.append("training" if training else "eval")
    return modes


def _changes(tensors: Sequence[Tensor], differs: Callable[[], bool]) -> bool:
    saved = [tensor.detach().clone() for tensor in tensors]
    try:
        for tensor in tensors:
            _disturb(tensor.detach())
        return differs()
    except Exception:  # it cannot be written to, or the module refuses other values: then they matter to it
        return True
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, saved, strict=True):
                if not alike(tensor.detach(), value):
                    tensor.detach().copy_(value)


def _disturb(tensor: Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    if tensor.dtype == torch.bool:
        tensor.logical_not_()
    elif tensor.is_floating_point() or tensor.is_complex():
        tensor.add_(torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.device))
    else:
        turned = tensor.flip(list(range(tensor.ndim)))
        tensor.copy_(torch.zeros_like(tensor) if alike(turned, tensor) else turned)


class _Elsewhere(TorchFunctionMode):
    """Notes which candidates meet tensors on the meta device, and lets the call go on as if they had followed."""

    def __init__(self, candidates: set[int]) -> None:
        super().__init__()
        self.candidates = candidates
        self.stay = set[int]()

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        name = (resolve_name(func) or getattr(func, "__name__", "")).rpartition(".")[2]
        behind = [t for t in tensors if t.device.type != "meta" and t.ndim and storage_of(t) in self.candidates]
        if name == "__getitem__":  # an index may lie on the CPU
            behind = [t for t in behind if t is args[0]]
        meets = any(t.device.type == "meta" for t in tensors)
        if behind and meets and name not in _PLACELESS and not name.endswith("_like"):
            self.stay |= {storage_of(t) for t in behind}
            args, kwargs = tree_map(lambda leaf: _moved(leaf, behind), (args, kwargs))
        return func(*args, **kwargs)


def _moved(leaf: Any, behind: list[Tensor]) -> Any:
    return leaf.to("meta") if any(leaf is tensor for tensor in behind) else leaf


def left_behind(subject: Subject, suspects: Sequence[Use]) -> tuple[list[Use], bool]:
    """Return which of the ``suspects`` stay where they are when the module moves to another device, and yet meet
    tensors there; and whether the call on that device, torch's ``meta``, went through.
    """
    away = replace(subject, device="meta", _shared={})
    try:
        module, inputs = away.build(torch.float32), away.draw(dtype=torch.float32)
    except Exception:
        return [], False
    there = {one.path: storage_of(one.tensor) for one in held_tensors(module)}
    # What no attribute leads to is shared between modules, or made anew and then not found here.
    storages = [
        {there[path] for path in use.paths if path in there} or {storage_of(tensor) for tensor in use.tensors}
        for use in suspects
    ]
    probe = _Elsewhere(set().union(*storages))
    went_through = True
    try:
        with torch.no_grad(), seeded(subject.seed), probe:
            away.call(module, inputs)
    except Exception:
        went_through = False
    return [use for use, own in zip(suspects, storages, strict=True) if own & probe.stay], went_through
