"""registration: whatever the output depends on is registered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.holdings import Held, held_tensors, registered_storages, storage_of, where_assigned
from verifykit.experiments.module_state import alike, fresh, is_module
from verifykit.experiments.unregistered import Use, called, created_parameters, influences, left_behind, uses
from verifykit.results import Finding, Verified
from verifykit.spec.randomness import seeded
from verifykit.spec.subject import Subject, named_tensors
from verifykit.tracing import Step

Values = Mapping[str, Tensor]


@check("registration", family="hygiene")
def registration(subject: Subject) -> Iterator[Finding | Verified]:
    """Every tensor that the output depends on is a parameter or a buffer of the module.

    What:
        Follows several calls operation by operation, in eval and in training mode, and looks for tensors that are no
        inputs, are not registered and were not computed in the call; changes their values to see whether the output
        follows; builds the module under another seed to see whether they can be had again; and calls it on another
        device (torch's meta device) to see whether they come along. Non-persistent buffers that cannot be had again,
        and parameters that a call creates, are found too.

    Why it matters:
        What is not registered is not trained, not saved and not moved: the optimiser never sees it, a restored
        checkpoint computes something else, and the first call on a GPU fails.

    Wrong:
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(4, 4) for _ in range(3)]  # parameters() has none of them

    Right:
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    When to ignore:
        When a tensor is hidden on purpose and restored by other means, such as a frozen teacher.
    """
    if not is_module(subject):
        raise Skip("a function registers nothing")
    module = subject.build()
    history = _run_through(subject, module)
    for one in created_parameters(history.registered, history.calls):
        what = f"a parameter of shape {list(one.shape)} is made anew in every call, so it is never trained"
        yield Finding(
            f"{what}, and has other values each time: create it in the constructor"
            if one.is_random
            else f"{what} and stays at its initial values: create it in the constructor",
            None if one.is_random else "warning",
            {"shape": list(one.shape), "random": one.is_random},
            one.location,
        )
    constants = list[Use]()
    now = {one.path: one.tensor for one in held_tensors(module)}
    for use in history.found + _unsaved_buffers(module):
        use.tensors = [now[path] for path in use.paths if path in now] or use.tensors
        modes = influences(subject, module, use.tensors)
        if not modes:
            continue
        state = history.state_of(use, modes)
        finding = _finding(subject, module, use, state)
        if finding is not None:
            yield finding
        elif use.how != NON_PERSISTENT and any(t.ndim for t in use.tensors) and (state.initial or not use.held):
            constants.append(use)
    stay, went_through = left_behind(subject, constants) if constants else ([], True)
    yield from map(_stays, stay)
    undecided = [] if went_through else [use.root for use in constants if use not in stay]
    count = len([*module.parameters(), *module.buffers()])
    yield Verified(f"{count} parameters and buffers, and what else the outputs depend on", len(history.calls))
    if undecided:
        raise Inconclusive(
            f"whether {', '.join(undecided)}, no buffer, follows the module to another device could"
            " not be tried: the module cannot be called on torch's meta device"
        )


NON_PERSISTENT = "a non-persistent buffer"


@dataclass(frozen=True)
class _State:
    """How an unregistered tensor comes by its values: whether it changes between calls, in training only and to be used
    in eval (``learns``); whether it was there from the beginning (``initial``), as a statistic is, or came with a call;
    and whether it was drawn at random.
    """

    changes: bool
    learns: bool
    initial: bool
    random: bool


@dataclass(frozen=True)
class _History:
    """Two calls in eval mode and two in training mode, what took part in them, and the values in between: when it was
    built, after each of the eval calls, after training; after the eval calls of a module built under another seed, and
    of one with the same parameters whose calls draw otherwise. ``registered`` is what was so before the last call.
    """

    calls: list[list[Step]]
    registered: set[int]
    found: list[Use]
    at_first: Values
    after_one: Values
    after_eval: Values
    after_training: Values
    elsewhere: Values
    drawn_otherwise: Values

    def state_of(self, use: Use, modes: list[str]) -> _State:
        """Return what the values in between say of one tensor."""
        initial = use.how == NON_PERSISTENT or bool(set(use.paths) & self.at_first.keys())
        kept = _differ(use, self.after_one, self.after_eval)
        learned = _differ(use, self.after_eval, self.after_training)
        # What a call makes of the parameters and keeps is no random draw, though it differs with them.
        random = _differ(use, self.elsewhere if initial else self.drawn_otherwise, self.after_eval)
        return _State(kept or learned, learned and not kept and "eval" in modes, initial, random)


def _run_through(subject: Subject, module: nn.Module) -> _History:
    held: dict[int, Held] = {}

    def call(seed: int, *, training: bool) -> list[Step]:
        held.update({storage_of(one.tensor): one for one in held_tensors(module)})
        steps = called(subject, module, training=training, seed=seed)
        held.update({storage_of(one.tensor): one for one in held_tensors(module)})
        return steps

    at_first = _values(module)
    calls = [call(0, training=False)]
    after_one = _values(module)
    calls.append(call(1, training=False))
    found, after_eval = uses(module, held, *calls), _values(module)
    calls.append(call(2, training=True))
    registered = registered_storages(module)
    calls.append(call(3, training=True))
    found += [use for use in uses(module, held, *calls[2:]) if use.root not in {known.root for known in found}]
    others: list[Values] = [{}, {}]
    if found or _unsaved_buffers(module):
        for index, (reseeded, noise) in enumerate(((1, 0), (0, 100))):
            other = fresh(subject, reseeded=reseeded)
            for seed in (0, 1):
                called(subject, other, seed=seed, noise=noise)
            others[index] = _values(other)
    return _History(calls, registered, found, at_first, after_one, after_eval, _values(module), *others)


def _values(module: nn.Module) -> dict[str, Tensor]:
    held = {one.path: one.tensor.detach().clone() for one in held_tensors(module)}
    return held | {f"self.{name}": buffer.detach().clone() for name, buffer in module.named_buffers()}


def _differ(use: Use, one: Values, other: Values) -> bool:
    paths = use.paths or ([use.root] if use.how == NON_PERSISTENT else [])
    return any(path in one and path in other and not alike(one[path], other[path]) for path in paths)


def _unsaved_buffers(module: nn.Module) -> list[Use]:
    found = []
    for prefix, part in module.named_modules():
        for name in sorted(part._non_persistent_buffers_set):
            buffer = part._buffers.get(name)
            if buffer is not None:
                root = f"self.{prefix}.{name}" if prefix else f"self.{name}"
                found.append(Use(root, NON_PERSISTENT, where_assigned(part, name), [], [buffer]))
    return found


def _finding(subject: Subject, module: nn.Module, use: Use, state: _State) -> Finding | None:
    """Return what is wrong with an unregistered tensor that is more than a constant; ``None`` where it is one."""
    evidence = {"name": use.root, "tensors": len(use.tensors), "shape": list(use.tensors[0].shape)}
    what = f"{use.root} ({use.how}) takes part in the output and is "
    trained = _trained(subject, module, use.tensors)
    if trained and all(tensor.grad_fn is not None for tensor in trained):
        told = "computed from parameters once, in the constructor: it stays as it was while they are trained"
        return Finding(f"{use.root} ({use.how}) takes part in the output and was {told}", None, evidence, use.location)
    if trained:
        told = f"not among parameters(), so no optimiser trains it, though it has a gradient: {_remedy(use)}"
        return Finding(f"{what}{told}", None, {**evidence, "gradient reaches": len(trained)}, use.location)
    saved = "not in the state dict"
    if state.learns:
        told = f"updated in training, but {saved}, so what it learnt is lost when the module is saved and restored"
        return Finding(f"{what}{told}: {_remedy(use)}", None, evidence, use.location)
    if state.changes:
        told = f"carried from call to call, but {saved}: a restored module starts without it"
        return Finding(f"{what}{told}", "warning" if state.initial else "note", evidence, use.location)
    if state.random:
        told = f"drawn at random, but {saved}, so a restored module computes something else"
        return Finding(f"{what}{told}: {_remedy(use)}", None, evidence, use.location)
    return None


def _stays(use: Use) -> Finding:
    evidence = {"name": use.root, "tensors": len(use.tensors), "shape": list(use.tensors[0].shape)}
    told = "takes part in the output and is no buffer, so it stays behind when the module moves to another device"
    return Finding(f"{use.root} ({use.how}) {told}: {_remedy(use)}", "warning", evidence, use.location)


def _remedy(use: Use) -> str:
    if use.how == NON_PERSISTENT:
        return "register it with persistent=True"
    if any(one.module is not None for one in use.held):
        return "assign the modules as attributes, or in nn.ModuleList or nn.ModuleDict"
    if any(isinstance(tensor, nn.Parameter) for tensor in use.tensors):
        return "assign it as an attribute, or in nn.ParameterList or nn.ParameterDict"
    if any(tensor.requires_grad for tensor in use.tensors):
        return "make it an nn.Parameter"
    return "register_buffer makes it part of the module"


def _trained(subject: Subject, module: nn.Module, tensors: list[Tensor]) -> list[Tensor]:
    """Return those to which the gradient of a training step leads."""
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    if not wanted:
        return []
    module.train()
    try:
        with torch.enable_grad(), seeded(subject.seed):
            outputs = named_tensors(subject.call(module, [tensor.clone() for tensor in subject.draw()])).values()
        total = torch.stack([o.abs().sum().double() for o in outputs if o.requires_grad]).sum()
        gradients = torch.autograd.grad(total, wanted, allow_unused=True)
    except Exception:
        return []
    return [tensor for tensor, gradient in zip(wanted, gradients, strict=True) if gradient is not None]
