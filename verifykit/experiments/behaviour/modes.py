"""Whether training and eval mode reach every part."""

from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from verifykit.experiments.behaviour.state import line_of_change, same
from verifykit.experiments.observation import outputs_of
from verifykit.results import Finding
from verifykit.spec.subject import Subject

# torch's own layers with running statistics, or that may have them.
NORMS = (nn.modules.batchnorm._NormBase,)


def parts_left_in_training(subject: Subject) -> Iterator[Finding]:
    """Yield a finding where ``eval()`` misses a part, or forward switches one back."""
    module = subject.build()
    active = {name or "the module itself" for name, part in module.named_modules() if part.training}
    registered = {id(part) for part in module.modules()}
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if key in ("_modules", "_parameters", "_buffers"):
                continue
            for leaf in tree_leaves(value):
                if isinstance(leaf, nn.Module) and id(leaf) not in registered and _has_modes(leaf) and leaf.training:
                    active.add(f"{name}.{key}".lstrip("."))
    if active:
        yield Finding(
            f"eval() does not reach {', '.join(sorted(active)[:3])}, which stays in training mode",
            None,
            {"parts in training mode": sorted(active)[:10]},
        )
        return
    outputs_of(subject, module, subject.draw())
    woken = [name or "the module itself" for name, part in module.named_modules() if part.training]
    if woken:
        fresh = subject.build()
        probe = partial(_modes, fresh)
        yield Finding(
            f"forward in eval mode switches {', '.join(woken[:3])} to training mode",
            None,
            {"parts": woken[:10]},
            line_of_change(partial(outputs_of, subject, fresh, subject.draw()), probe),
        )


def _modes(module: nn.Module) -> tuple[bool, ...]:
    return tuple(part.training for part in module.modules())


def _has_modes(module: nn.Module) -> bool:
    """Whether its mode matters: it drops out, has running statistics, or reads ``training`` in code of its own."""
    return any(
        isinstance(part, (nn.modules.dropout._DropoutNd, *NORMS)) or not type(part).__module__.startswith("torch.nn")
        for part in module.modules()
    )


def idle_dropout(subject: Subject) -> Iterator[Finding]:
    """Yield a finding where dropout is declared and training draws nothing."""
    module = subject.build(training=True)
    declared = [
        name for name, part in module.named_modules()
        if isinstance(part, nn.modules.dropout._DropoutNd) and 0.05 <= part.p < 1 and part.training
    ]  # fmt: skip
    if not declared:
        return
    state = {name: value.clone() for name, value in module.state_dict().items()}
    first: dict[str, Tensor] | None = None
    for seed in range(8):
        module.load_state_dict(state)
        again = outputs_of(subject, module, subject.draw(), seed=seed)
        if first is not None and any(n not in again or not same(t, again[n]) for n, t in first.items()):
            return
        first = first or again
    told = ", ".join(declared[:3])
    yield Finding(
        f"{told} drops nothing in training: the output is the same under 8 seeds", "warning", {"parts": declared}
    )
