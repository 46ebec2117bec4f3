"""hooks: hooks on the module and its parts fire whenever these are used."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn

from verifykit.checks.registry import Skip, check
from verifykit.errors import one_line
from verifykit.experiments.holdings import storage_of
from verifykit.experiments.module_state import fresh, is_module
from verifykit.results import Finding, Location, Verified
from verifykit.spec.building import raised_location
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.targets import display_path

_TORCH = str(Path(torch.__file__).parent)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@check("hooks", family="hygiene", severity="warning")
def hooks(subject: Subject) -> Iterator[Finding | Verified]:
    """Hooks that others put on the module and its parts fire whenever these are used.

    What:
        Watches a call for parts whose forward runs without the part being called, which passes its hooks by; counts
        the hooks that the module puts on itself, which must not grow from call to call; and runs forward and backward
        with full backward hooks on one part after the other.

    Why it matters:
        Feature extraction, pruning, quantisation, activation offloading, weight and spectral normalisation and sharded
        training all work by hooks. Where these are passed by, they do nothing and say nothing.

    Wrong:
        def forward(self, x):
            return self.encoder.forward(x)

    Right:
        def forward(self, x):
            return self.encoder(x)

    When to ignore:
        When a part is a mere namespace for functions, and nobody will hook it.
    """
    if not is_module(subject):
        raise Skip("a function has no hooks")
    module = fresh(subject, training=True)
    if not _called(subject, module):
        module.eval()
    watcher = _Watcher(module)
    with watcher:
        _called(subject, module)
    for part, location in watcher.bypassed.items():
        name = watcher.names[part]
        yield Finding(
            f"the forward of {name or 'the module itself'} is called directly, which passes its hooks by: call "
            f"{f'self.{name}(...)' if name else 'super().__call__'} instead",
            evidence={"part": name or "(itself)", "calls that pass hooks by": watcher.counts[part]},
            location=location,
        )
    if grown := _grows(subject, module):
        told = f"every call puts another hook on {grown[0] or 'the module'}: they add up, and each call takes longer"
        yield Finding(told, evidence={"part": grown[0] or "(itself)", "hooks after each of three calls": grown[1]})
    yield Verified(f"forward hooks of the {len(watcher.seen)} parts that are called", len(watcher.seen))
    yield from _backward(subject, sorted(watcher.names[part] for part in watcher.seen))


def _called(subject: Subject, module: nn.Module) -> bool:
    try:
        with torch.enable_grad(), seeded(subject.seed):
            subject.call(module, [tensor.clone() for tensor in subject.draw()])
    except Exception:
        return False
    return True


class _Watcher:
    """Notes, by a profile function, every run of a part's ``forward`` that does not come from calling the part."""

    def __init__(self, module: nn.Module) -> None:
        self.names = {id(part): name for name, part in module.named_modules()}
        parts = [part for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]
        self.codes = {id(part): getattr(type(part).forward, "__code__", None) for part in parts}
        self.known = {code for code in self.codes.values() if code is not None}
        self.bypassed: dict[int, Location] = {}
        self.counts: dict[int, int] = {}
        self.seen = set[int]()

    def __enter__(self) -> None:
        self.before = sys.getprofile()
        sys.setprofile(self._note)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self.before)

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call" or frame.f_code not in self.known:
            return
        part = _self_of(frame)
        if self.codes.get(id(part)) is not frame.f_code:
            return
        self.seen.add(id(part))
        caller = frame.f_back
        if caller is None or caller.f_code.co_filename.startswith(_TORCH):
            return
        if (
            _self_of(caller) is part and caller.f_code.co_name != "__call__"
        ):  # its own method, or the forward of a subclass
            return
        self.counts[id(part)] = self.counts.get(id(part), 0) + 1
        self.bypassed.setdefault(id(part), Location(display_path(caller.f_code.co_filename), caller.f_lineno))


def _self_of(frame: FrameType) -> Any:
    """The first argument of the function that runs in ``frame``."""
    code = frame.f_code
    if not code.co_varnames:
        return None
    first = frame.f_locals.get(code.co_varnames[0])
    if code.co_argcount == 0 and isinstance(first, tuple):  # a wrapper that takes *arguments
        return first[0] if first else None
    return first


def _grows(subject: Subject, module: nn.Module) -> tuple[str, list[int]] | None:
    counts = []
    for _ in range(3):
        if not _called(subject, module):
            return None
        counts.append({name: sum(len(vars(part)[kind]) for kind in _HOOKS) for name, part in module.named_modules()})
    for name in counts[0]:
        numbers = [count.get(name, 0) for count in counts]
        if numbers[0] < numbers[1] < numbers[2]:
            return name, numbers
    return None


def _backward(subject: Subject, used: list[str]) -> Iterator[Finding | Verified]:
    """Full backward hooks on one part at a time, the module itself last."""
    if _refusal(subject, []) is not None:
        return  # there is no backward to hook into
    names = [*(name for name in used if name), ""]
    if _refusal(subject, names) is None:
        yield Verified(f"full backward hooks of {len(names)} parts", len(names))
        return
    in_passing: Finding | None = None
    for name in names:
        error = _refusal(subject, [name])
        if error is None:
            continue
        evidence = {"part": name or "(itself)", "torch": one_line(error)[:200]}
        told = (
            f"with a full backward hook on {name or 'the module'}, the call fails: {one_line(error).partition('. ')[0]}"
        )
        if "modified inplace" not in str(error):
            yield Finding(told, evidence=evidence, location=raised_location(error))
            return
        if _changes_its_input(subject, name):
            told = f"{name} changes its input in place, so it fails as soon as a full backward hook is put on it"
            yield Finding(told, evidence=evidence, location=raised_location(error))
            return
        # What a caller does in place to an input or output is common, and fails loudly.
        in_passing = in_passing or Finding(told, "note", evidence, raised_location(error))
    if in_passing is not None:
        yield in_passing


def _refusal(subject: Subject, names: Sequence[str]) -> Exception | None:
    """Return what a step raises with full backward hooks on the parts called ``names``, if anything."""
    module = fresh(subject, training=True)
    inputs = [t.requires_grad_() if t.is_floating_point() or t.is_complex() else t for t in subject.draw()]
    try:
        for name in names:
            module.get_submodule(name).register_full_backward_hook(lambda *_: None)
        with warnings.catch_warnings(), torch.enable_grad(), seeded(subject.seed):
            warnings.simplefilter("ignore")
            # A view of the leaf, which may be changed in place.
            outputs = named_tensors(subject.call(module, [t * 1 if t.requires_grad else t for t in inputs])).values()
            total = [o.abs().sum().double() for o in outputs if o.requires_grad]
            torch.stack(total).sum().backward()  # type: ignore[no-untyped-call]
    except Exception as error:
        return error
    return None


def _changes_its_input(subject: Subject, name: str) -> bool:
    """Whether the forward of this part, of a class that the user wrote, leaves other values in what it was given."""
    module = fresh(subject, training=True)
    part = module.get_submodule(name)
    if not name or type(part).__module__.startswith("torch."):  # the module's own input is for other checks
        return False
    changed: list[int] = []

    def before(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        copies.extend((t, t.detach().clone()) for t in named_tensors(arguments).values())

    def after(*_: Any) -> None:
        changed.extend(storage_of(t) for t, copy in copies if not torch.equal(t.detach(), copy))

    copies: list[tuple[torch.Tensor, torch.Tensor]] = []
    part.register_forward_pre_hook(before)
    part.register_forward_hook(after)
    return _called(subject, module) and bool(changed)
