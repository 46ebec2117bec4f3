"""What a comparison established, in words and numbers."""

from dataclasses import replace
from typing import Any

from verifykit.identify.agreement.points import Point, small
from verifykit.identify.agreement.trial import Counterexample, Trial
from verifykit.identify.candidate import Match

# Elements of an input up to which it is shown whole.
SHOWN = 12
# Places that need not be told.
USUAL = ("", "usual sizes", "other sizes")


def smallest(trial: Trial, found: Counterexample) -> Counterexample:
    """Return a counterexample that is easier to read, if there is one."""
    if found.gap.tensor == "distribution":  # one draw shows nothing
        return found
    for point in small(trial.facts.subject, trial.numbers):
        if _size(point) >= _size(found.point) and point.sizes == found.point.sizes:
            break
        call = replace(found.call, seed=point.seed)
        if (gap := trial.gap_at(point, call)) and gap.in_value == found.gap.in_value:
            return Counterexample(point, call, gap)
    return found


def evidence(trial: Trial, found: Counterexample) -> dict[str, Any]:
    """The numbers of a counterexample."""
    shown = {
        name: t.tolist() if t.numel() <= SHOWN else f"{tuple(t.shape)} drawn with seed {found.point.seed}"
        for name, t in zip(trial.facts.subject.input_names, found.point.inputs, strict=True)
    }
    mode = {"mode": "training"} if found.call.training else {}
    return {
        **found.gap.evidence,
        "dtype": str(trial.dtype).removeprefix("torch."),
        "sizes": dict(found.point.sizes),
        **mode,
        "inputs": shown,
    }


def text(trial: Trial, found: Counterexample) -> str:
    """A counterexample in one line."""
    sizes = ", ".join(f"{name} = {size}" for name, size in found.point.sizes.items())
    mode = "in training mode " if found.call.training else "" if found.call.order else "without gradients "
    where = "" if found.point.where in USUAL else found.point.where
    place = " and ".join(part for part in (sizes, where) if part)
    at = f"{mode}at {place} " if place else mode
    its = "" if found.gap.tensor in ("distribution", "refusal") else "its "
    return f"{at}{its}{found.gap.text}".replace("the reference's", f"{_related(trial.match)} gives")


def domain(trial: Trial) -> str:
    """Over what it was compared."""
    spec = trial.facts.subject.spec
    sizes = [
        f"{name} from {min(p.sizes[name] for p in trial.agreed)} to {max(p.sizes[name] for p in trial.agreed)}"
        for name in (spec.free if trial.agreed else ())
    ]
    what = "values, gradients and double backward" if trial.second else "values and gradients"
    special = dict.fromkeys(p.where for p in trial.agreed if p.where not in USUAL and " of " not in p.where)
    modes = f"{str(trial.dtype).removeprefix('torch.')}, eval and training mode"
    inputs = ", ".join(map(str, spec.inputs))
    return "; ".join([f"{what} in {modes}", inputs, *([", ".join(sizes)] if sizes else []), ", ".join(special)])


def _related(match: Match) -> str:
    factor = "" if match.scale == 1.0 else f"{match.scale:.6g}·"
    return f"{factor}{match.candidate.name}" + (f" + {match.offset:.6g}" if match.offset else "")


def _size(point: Point) -> int:
    return sum(t.numel() for t in point.inputs)
