"""The ways in which a loss can be told that something does not count, and whether it then has no influence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from verifykit.errors import one_line
from verifykit.experiments.losses.aims import aim_of, class_axis, is_paired
from verifykit.experiments.losses.probe import (
    Probe,
    Values,
    agreement,
    batch_axes,
    entry_of,
    forward_parameters,
    parameters_of,
    probe_of,
    with_arguments,
)
from verifykit.experiments.observation import Loss
from verifykit.results import Finding, Severity
from verifykit.spec.building import raised_at
from verifykit.spec.inference.names import role_of
from verifykit.spec.subject import Subject

USUAL_INDEX = -100
# Names of weights that come with the samples.
WEIGHTS = re.compile(r"(.*_)?(weights?|w|importance)", re.IGNORECASE)


@dataclass(frozen=True)
class Exclusion:
    """Inputs of which ``marked`` does not count, because of ``argument``. ``words`` says how ("have mask False"), and
    ``participle`` in one word. ``either`` is set where the opposite may be meant, ``keeps`` where True counts.
    ``rows`` are the same inputs with nothing but the first sample marked, ``nothing`` those with everything marked.
    """

    probe: Probe
    argument: str
    words: str
    participle: str
    values: Values
    marked: Tensor
    rows: Values
    nothing: Values
    severity: Severity = "error"
    either: bool = False
    keeps: bool = False

    def influence(self) -> Finding | None:
        """Return what is wrong where other predictions and targets at what is marked change the loss, or the gradient
        is not zero there.
        """
        probe, name = self.probe, self.probe.loss.prediction
        try:
            before = probe.output(self.values).detach()
        except Exception as error:
            return Finding(
                f"it raises where samples {self.words}{raised_at(error)}: {one_line(error)}",
                self.severity,
                {"argument": self.argument},
            )
        other = probe.draw(seed=17)
        changed = dict(self.values)
        for part in (name, probe.loss.target):
            where = spread(self.marked, self.values[part], class_axis(probe.subject, probe.loss))
            if where is not None and not (part == probe.loss.target and self.argument == "ignore_index"):
                changed[part] = torch.where(where, other[part], self.values[part])
        after = probe.output(changed).detach()
        worst = agreement(probe, self.values, after.sum(), before.sum())
        if worst is not None and worst.excess > 1:
            one, two = float(before.sum()), float(after.sum())
            return Finding(
                f"what is {self.participle} still counts: other values where samples {self.words} change the loss from "
                f"{one:.6g} to {two:.6g}",
                self.severity,
                {"loss": one, "after the change": two, "tolerance": worst.tolerance},
            )
        return self._gradient()

    def _gradient(self) -> Finding | None:
        gradient = self.probe.gradient(self.values)
        where = spread(
            self.marked, self.values[self.probe.loss.prediction], class_axis(self.probe.subject, self.probe.loss)
        )
        if gradient is None or where is None or not bool(where.any()):
            return None
        leaked, whole = gradient[where.expand_as(gradient)], gradient.abs().max()
        if bool(leaked.isfinite().all()) and float(leaked.abs().max()) <= 1e-12 * float(whole):
            return None
        value = float(leaked.flatten()[leaked.abs().nan_to_num(torch.inf).argmax()])
        return Finding(
            f"what is {self.participle} has a gradient: up to {value:.6g} where samples {self.words}, though the loss "
            "does not change there",
            self.severity,
            {"gradient where it does not count": value, "greatest gradient": float(whole)},
        )

    def with_and_without(self) -> tuple[Tensor, Tensor, Values] | None:
        """Return the loss with the first sample marked, and the loss of the others alone, and the latter's inputs;
        ``None`` where no sample can be left out, or the loss is not one number.
        """
        axes = batch_axes(self.probe.subject)
        if axes is None or not self.probe.loss.reduced:
            return None
        rest = {
            name: value.narrow(axes[name], 1, value.shape[axes[name]] - 1) if name in axes else value
            for name, value in self.rows.items()
        }
        try:
            return self.probe.output(self.rows).detach(), self.probe.output(rest).detach(), rest
        except Exception:
            return None

    def everything(self) -> Tensor | None:
        """Return the loss where all is marked; ``None`` where it is refused."""
        try:
            return self.probe.output(self.nothing).detach()
        except Exception:
            return None

    @property
    def share(self) -> float:
        """The part of the samples that counts where the first is marked."""
        size = self.marked.shape[0]
        return (size - 1) / size


def exclusions(subject: Subject, loss: Loss) -> Iterator[Exclusion]:
    """Yield every way that the arguments of a loss have: masks and weights of samples, ``ignore_index``."""
    probe = probe_of(subject, loss)
    axes = batch_axes(subject)
    if axes is None or axes.get(loss.prediction) != 0:
        return
    for entry in subject.spec.inputs:
        if entry.name in (loss.prediction, loss.target):
            continue
        role = role_of(entry.name)
        if role == "mask" or (WEIGHTS.fullmatch(entry.name) and axes.get(entry.name) == 0):
            yield from _by_input(probe, entry.name, is_mask=role == "mask")
    if "ignore_index" in {**parameters_of(subject), **forward_parameters(subject)}:
        yield from _by_index(subject, loss)


def spread(marked: Tensor, value: Tensor, axis: int | None) -> Tensor | None:
    """Return ``marked`` so that it broadcasts against ``value``: over the classes, or over dimensions behind its own;
    ``None`` where it has another shape.
    """
    if (
        axis is not None
        and value.ndim == marked.ndim + 1
        and (*value.shape[:axis], *value.shape[axis + 1 :]) == tuple(marked.shape)
    ):
        return marked.unsqueeze(axis)
    if marked.ndim > value.ndim or any(m not in (1, v) for m, v in zip(marked.shape, value.shape, strict=False)):
        return None
    return marked.reshape(*marked.shape, *[1] * (value.ndim - marked.ndim))


def _by_input(probe: Probe, name: str, *, is_mask: bool) -> Iterator[Exclusion]:
    values = probe.draw()
    given = values[name]
    if given.ndim == 0 or spread(given.bool(), values[probe.loss.prediction], None) is None or given.shape[0] < 3:
        return
    row, marked = torch.zeros_like(given, dtype=torch.bool), torch.zeros_like(given, dtype=torch.bool)
    row[0], marked[0] = True, True
    if given.ndim > 1 and given.shape[1] > 1 and is_paired(probe, values):
        marked[1, 0] = True

    def encoded(drop: Tensor, keeps: bool) -> Values:
        kept = (~drop if keeps else drop).to(given.dtype)
        return {**values, name: kept if is_mask else torch.where(drop, torch.zeros_like(given), given.abs() + 0.5)}

    for keeps in (True, False) if is_mask else (True,):
        words = f"have {name} {'False' if keeps else 'True'}" if is_mask else f"have {name} 0"
        yield Exclusion(
            probe, name, words, "masked" if is_mask else "given no weight", encoded(marked, keeps), marked,
            encoded(row, keeps), encoded(torch.ones_like(row), keeps), "error" if is_mask else "warning",
            either=is_mask, keeps=keeps,
        )  # fmt: skip


def _by_index(subject: Subject, loss: Loss) -> Iterator[Exclusion]:
    if aim_of(subject, loss) not in ("classes", "binary") or entry_of(subject, loss.target).dtype != "long":
        return
    constructor = parameters_of(subject)
    parameter = constructor.get("ignore_index") or forward_parameters(subject)["ignore_index"]
    default = parameter.default if type(parameter.default) is int else None
    pinned = subject.spec.init.get("ignore_index")
    usual = pinned if isinstance(pinned, int) else default if default is not None else USUAL_INDEX
    certain = usual != USUAL_INDEX or default is not None
    for index, severity in {usual: "error" if certain else "warning", 0: "warning"}.items():
        if usual == 0 and index == 0:
            severity = "error"
        by_constructor = "ignore_index" in constructor
        changed = with_arguments(subject, ignore_index=index) if by_constructor else subject
        extra = {} if by_constructor else {"ignore_index": index}
        try:
            probe = probe_of(changed, loss, **extra)
        except Exception:  # it does not take this index
            continue
        yield _with_index(probe, index, severity)  # type: ignore[arg-type]


def _with_index(probe: Probe, index: int, severity: Severity) -> Exclusion:
    values = probe.draw()
    target = values[probe.loss.target]
    target = torch.where(target == index, target + 1, target)  # only what is marked shall bear it
    row, marked = torch.zeros_like(target, dtype=torch.bool), torch.zeros_like(target, dtype=torch.bool)
    row[0], marked[0] = True, True
    if target.ndim > 1 and target.shape[1] > 1 and is_paired(probe, values):
        marked[1, 0] = True

    def encoded(drop: Tensor) -> Values:
        return {**values, probe.loss.target: target.masked_fill(drop, index)}

    return Exclusion(
        probe, "ignore_index", f"have target {index} = ignore_index", "ignored", encoded(marked), marked, encoded(row),
        encoded(torch.ones_like(row)), severity,
    )  # fmt: skip
