"""mask: what is masked has no say in what is not."""

import re
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.influence import HUGE, Calls, Change, changed
from verifykit.experiments.masks.arguments import PLAIN, TRUE_DROPS, TRUE_KEEPS, MaskArgument, mask_arguments
from verifykit.experiments.masks.blame import blamed_position, silences, where_it_leaks
from verifykit.experiments.masks.trials import Encoding, Masked, Trial, has_effect, joint, leak_of, working
from verifykit.experiments.samples.doubts import as_batched
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.outputs import learn_outputs
from verifykit.spec.subject import Subject

# Positions added, all masked, to see whether the amount of padding matters.
MORE_PADDING = 3


@check("mask", family="behaviour", requires=("determinism",))
def mask(subject: Subject) -> Iterator[Finding | Verified]:
    """Masked positions have no influence on the outputs of the others.

    What:
        For each mask, padding mask, attention mask or lengths argument, optional ones too: hides the end of each
        sample, a different amount each, in both polarities where the dtype leaves that open, and replaces the hidden
        inputs. Outputs of visible positions, and pooled outputs, must stay; the mask must have an effect; what is
        visible must count; more masked padding must change nothing; a sample that is masked wholly must not give NaN.

    Why it matters:
        Padding that leaks makes a prediction depend on the longest sequence in its batch. The usual causes are a mask
        along the wrong axis, applied after the softmax, or forgotten in a mean's denominator.

    Wrong:
        def forward(self, x, mask):
            return (x * mask[..., None]).mean(dim=1)

    Right:
        def forward(self, x, mask):
            return (x * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    When to ignore:
        When the argument called a mask is a feature like others, or hides outputs only.
    """
    subject = as_batched(subject)
    arguments = list(mask_arguments(subject))
    if not arguments:
        raise Skip("its forward takes no mask and no lengths that cover a dimension of its inputs")
    if not learn_outputs(subject):
        raise Inconclusive("the number or the rank of the outputs changes with the sizes")
    undecided = list[str]()
    for options in arguments:
        try:
            yield from _judge(subject, options, [other for other in arguments if other is not options])
        except Inconclusive as reason:
            undecided.append(str(reason))
    if undecided:
        raise Inconclusive("; ".join(undecided))


def _judge(
    subject: Subject, options: Sequence[MaskArgument], others: Sequence[Sequence[MaskArgument]]
) -> Iterator[Finding | Verified]:
    """One argument: the first shape and encoding under which it hides what it should, or else what is wrong."""
    calls = Calls(subject)
    tried = list[tuple[Masked, Trial]]()
    leaks = list[tuple[Masked, Trial, Change]]()
    tight: tuple[Masked, Trial] | None = None
    blind = False  # nothing visible counts: not what the mask means, such as True where it is False that hides
    for masked, trial in working(calls, options):
        tried.append((masked, trial))
        if not has_effect(masked, trial):
            continue
        leak = leak_of(masked, trial)
        if leak is not None:
            leaks.append((masked, trial, leak))
        elif _sees_something(masked, trial):
            tight = masked, trial
            break
        else:
            blind = True
    if not tried:
        raise Inconclusive(f"no mask was found that {options[0].name} takes")
    if tight is None and not leaks:
        if blind:
            raise Inconclusive(f"whatever {options[0].name} hides, what it leaves visible has no influence either")
        yield from _no_effect(*tried[0])
        return
    if tight is None:
        both = ((m, with_others) for m, trial, _ in leaks for with_others in joint(m, trial, others))
        tight = next(((m, trial) for m, trial in both if leak_of(m, trial) is None), None)
    if tight is None:
        _refuse_a_task(subject, options[0])
        exchanged = len({trial.encoding for _, trial, _ in leaks if trial.argument == leaks[0][0].argument}) > 1
        yield _leaks(*leaks[0], exchanged=exchanged)
        return
    masked, trial = tight
    name, words = trial.argument.name, trial.encoding.words if trial.encoding else "what lies beyond is hidden"
    yield Verified(f"what {name} hides does not change the rest ({words})", masked.samples)
    yield from _polarity(trial, [other.encoding for _, other in tried])
    yield from _ignored(masked, trial)
    yield from _padding(masked, trial)
    yield from _all_masked(masked, trial)
    yield from _huge(masked, trial)


def _no_effect(masked: Masked, trial: Trial) -> Iterator[Finding]:
    in_training = Masked(Calls(masked.subject, training=True), masked.argument)
    if has_effect(in_training, trial):
        raise Inconclusive(f"{masked.argument.name} has an effect in training only")
    yield Finding(
        f"{masked.argument.name} has no effect: the outputs are the same whatever it hides",
        evidence={"mask": masked.argument.name, "visible positions": [masked.lengths, [masked.size] * masked.samples]},
    )


def _sees_something(masked: Masked, trial: Trial) -> bool:
    return masked.change(trial, trial.visible, trial.visible) is not None


def _refuse_a_task(subject: Subject, argument: MaskArgument) -> None:
    """Masked modelling predicts what is masked from the rest, and what is masked is in its outputs."""
    names = [name for name, _ in subject.build().named_parameters()]
    if re.fullmatch(PLAIN, argument.name) is None and any(re.search(r"mask_?(tok|emb)", n) for n in names):
        raise Inconclusive(f"{argument.name} seems to set the task of a masked model: a mask token takes its place")


def _leaks(masked: Masked, trial: Trial, leak: Change, *, exchanged: bool) -> Finding:
    name, argument = trial.argument.name, trial.argument
    named = any(re.fullmatch(words, name) for words in (PLAIN, TRUE_DROPS, TRUE_KEEPS))
    certain = argument.kind == "lengths" or named or len(argument.shape) == 2
    if not certain and not silences(masked, trial):
        raise Inconclusive(f"{name} may be a feature like others: what it hides counts as before, in every encoding")
    severity: Severity = "error" if certain else "warning"
    blamed = blamed_position(masked, trial)
    hidden = f"the input at position {blamed[1]} of sample {blamed[0]}" if blamed else "several hidden inputs together"
    note = ", and no less with hidden and visible exchanged" if exchanged else ""
    return Finding(
        f"{leak.output} depends on what {name} hides: it changes by {leak.difference.error:.2g} with {hidden}{note}",
        severity,
        {"mask": name, "visible positions of each sample": masked.lengths, **leak.evidence},
        where_it_leaks(masked, trial),
    )


def _polarity(trial: Trial, tried: Sequence[Encoding | None]) -> Iterator[Finding]:
    """A name that says what True means, and a module that has it the other way round."""
    name = trial.argument.name
    drops = re.fullmatch(TRUE_DROPS, name) is not None
    if trial.encoding is None or not (drops or re.fullmatch(TRUE_KEEPS, name)):
        return
    wanted = Encoding(torch.bool, float(drops), float(not drops))
    if trial.encoding.dtype == torch.bool and trial.encoding != wanted and wanted in tried:
        yield Finding(
            f"{name} hides where it is {not drops}: its name says that it hides where it is {drops}",
            "warning",
            {"mask": name, "hides where": not drops},
        )


def _ignored(masked: Masked, trial: Trial) -> Iterator[Finding]:
    """The last visible position of a sample has no influence although others have: an end that is off by one."""
    if trial.argument.kind == "attention":
        return
    sample = 0
    last = int(trial.visible[sample].sum()) - 1
    if last < 1:
        return
    if any(_counts(masked, trial, sample, last)) or not any(_counts(masked, trial, sample, last - 1)):
        return
    yield Finding(
        f"the last position that {trial.argument.name} leaves visible is ignored: position {last} of sample {sample} "
        f"has no influence on any output, position {last - 1} has",
        "error" if trial.argument.kind == "lengths" else "warning",
        {"mask": trial.argument.name, "visible positions of the sample": last + 1},
    )


def _counts(masked: Masked, trial: Trial, sample: int, position: int) -> Iterator[bool]:
    where = torch.zeros_like(trial.visible)
    where[sample, position] = True
    for seed, factor in ((1, 1.0), (2, 1.0), (1, HUGE), (1, -HUGE)):
        yield masked.change(trial, where, None, seed=seed, factor=factor) is not None


def _padding(masked: Masked, trial: Trial) -> Iterator[Finding]:
    """Results that follow the amount of padding."""
    covers, argument = trial.argument.covers, trial.argument
    if covers not in masked.subject.spec.free or argument.kind == "attention":
        return
    long = masked.trial(trial.encoding, masked.lengths, {str(covers): masked.size + MORE_PADDING},
        trial.companions)  # fmt: skip
    inputs, hiding = list(long.inputs), [a.name for a in (argument, *trial.companions)]
    for index, (entry, short) in enumerate(zip(masked.entries, trial.inputs, strict=True)):
        if entry.name not in hiding:
            corner = tuple(slice(0, size) for size in short.shape)
            inputs[index] = inputs[index].clone()
            inputs[index][corner] = short
    before, tolerances = masked.plain(trial)
    try:
        after = masked.run(long, inputs)
    except Exception:  # it takes no longer sequence
        return
    change = changed(before, after, tolerances, masked.watched(before, trial.visible))
    if change is not None:
        ratio = change.difference.actual / change.difference.expected if change.difference.expected else float("nan")
        length = masked.size / (masked.size + MORE_PADDING)
        why = (
            ": it divides by the full length, not by what is visible"
            if isinstance(ratio, float) and abs(ratio - length) < 1e-6
            else ""
        )
        yield Finding(
            f"{change.output} changes by {change.difference.error:.2g} when {MORE_PADDING} more positions are added "
            f"that {argument.name} hides{why}",
            "warning",
            {"mask": argument.name, "lengths": [masked.size, masked.size + MORE_PADDING], **change.evidence},
        )


def _all_masked(masked: Masked, trial: Trial) -> Iterator[Finding]:
    """One sample wholly hidden."""
    chosen_by_caller = trial.encoding is not None and trial.encoding.drop == -torch.inf
    if trial.argument.kind != "padding" or masked.samples < 2 or chosen_by_caller:
        return
    nothing = masked.trial(trial.encoding, [0, *masked.lengths[1:]], None, trial.companions)
    try:
        outputs = masked.run(nothing)
    except Exception:  # it refuses, which is an answer
        return
    for name, tensor in outputs.items():
        if tensor.is_floating_point() and tensor.isnan().any():
            elsewhere = masked.run(trial)
            if elsewhere[name].isnan().any():
                return
            yield _nan(masked, name, tensor)
            return


def _nan(masked: Masked, name: str, tensor: Tensor) -> Finding:
    known = any(isinstance(part, torch.nn.MultiheadAttention) for part in masked.calls.module.modules())
    note = ", as torch's own attention does" if known else ": a softmax or a mean over nothing"
    return Finding(
        f"{name} is NaN in {int(tensor.isnan().sum())} of {tensor.numel()} elements when one sample is masked "
        f"wholly{note}",
        "note" if known else "warning",
        {"mask": masked.argument.name, "visible positions of each sample": [0, *masked.lengths[1:]]},
    )


def _huge(masked: Masked, trial: Trial) -> Iterator[Finding]:
    change = masked.change(trial, ~trial.visible, trial.visible, factor=HUGE)
    if change is not None:
        message = f"{change.output} changes when what {trial.argument.name} hides is a million times as large"
        yield Finding(f"{message}: what hides it is finite", "note", {"mask": trial.argument.name, **change.evidence})
