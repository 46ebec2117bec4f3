"""accuracy: float32 loses no more digits than the problem demands."""

from collections.abc import Iterator

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.observation import loss_of
from verifykit.experiments.precision.regimes import Regime, regimes
from verifykit.experiments.precision.rounding import Error, errors, sizes_of, where_digits_go
from verifykit.experiments.precision.runs import SINGLE, gives_numbers, has_precision, is_steady, plain_run, why_not
from verifykit.results import Finding, Verified
from verifykit.spec.subject import Subject

# By how much the error must exceed what a rounding error of every input and parameter would cause. Modules of torch.nn
# and correct ones that were written by hand stay below 3. Where small outputs are judged by their own size, those that
# lose a digit in passing reach 60, and what loses three digits 500.
WIDE, WIDE_WHERE_SMALL = 50.0, 200.0


@check("accuracy", family="types", severity="warning", requires=("determinism", "registration"))
def accuracy(subject: Subject) -> Iterator[Finding | Verified]:
    """Results in float32 are as accurate as the problem allows: no cancellation that a better formula avoids.

    What:
        Compares float32 with float64 at the same inputs and parameters: everyday values, values of about 1e-4, values
        around 1000, and inputs that are nearly equal. What rounding the inputs and parameters would do to the result
        is measured; a float32 error many times as large is reported, with the line at which the digits go.

    Why it matters:
        A variance computed as E[x^2] - E[x]^2, a distance as sqrt(a^2 + b^2 - 2ab) or log(1 + x) of a small x gives
        numbers that look plausible and are wrong from the third digit on.

    Wrong:
        def forward(self, x):
            variance = (x * x).mean(-1, keepdim=True) - x.mean(-1, keepdim=True) ** 2
            return x / variance.clamp_min(1e-6).sqrt()

    Right:
        def forward(self, x):
            return x / x.var(-1, keepdim=True, correction=0).clamp_min(1e-6).sqrt()

    When to ignore:
        When such inputs cannot occur, or a few digits suffice.
    """
    if not has_precision(subject):
        raise Skip("nothing that is fed or registered is floating-point")
    if not gives_numbers(subject):
        raise Skip("no output holds floating-point numbers")
    if not is_steady(subject):
        raise Skip("two calls on the same inputs differ, so errors cannot be told from noise")
    single = plain_run(subject, SINGLE)
    if single.error is not None:
        raise Skip(f"float32 cannot be tried: {why_not(single)}")
    seen = dict[str, Error]()
    for regime, found in _measured(subject):
        if not found:
            continue
        worst = max(found, key=lambda error: error.excess)
        seen[_label(regime)] = worst
        if worst.excess > _limit(regime) and worst.is_rounding:
            yield _finding(subject, regime, worst)
            return
    if not seen:
        raise Inconclusive("float32 and float64 could not be compared: results are not finite, or differ in kind")
    worst = max(seen.values(), key=lambda error: error.excess)
    told = f"in units of what rounding the inputs and parameters causes, at {', '.join(seen)}"
    yield Verified(f"float32 error {told}", len(seen), worst.excess, f"{WIDE:g} to {WIDE_WHERE_SMALL:g}")


def _measured(subject: Subject) -> Iterator[tuple[Regime, list[Error] | None]]:
    plain, *others = regimes(subject)
    sizes = sizes_of(subject, plain)
    has_absolute_scale = loss_of(subject) is not None  # a loss of nearly zero is zero
    for regime in (plain, *others):
        if has_absolute_scale and not regime.absolute:
            regime = Regime(regime.name, regime.points)
        yield regime, _tried(subject, regime, sizes)
    if is_steady(subject, training=True):
        for regime in others:
            if regime.name == "values around 1000":
                trained = Regime(regime.name, regime.points, training=True)
                yield trained, _tried(subject, trained, sizes)


def _limit(regime: Regime) -> float:
    return WIDE if regime.absolute else WIDE_WHERE_SMALL


def _tried(subject: Subject, regime: Regime, sizes: list[float]) -> list[Error] | None:
    try:
        return errors(subject, regime, SINGLE, sizes, limit=_limit(regime))
    except Exception:  # values that it refuses, or a type: other checks tell
        return None


def _label(regime: Regime) -> str:
    return f"{regime.name} (training)" if regime.training else regime.name


def _finding(subject: Subject, regime: Regime, worst: Error) -> Finding:
    name, location = where_digits_go(subject, regime, SINGLE)
    relative = worst.error / abs(worst.correct) if worst.correct else float("inf")
    where = f" in {name}()" if name else ""
    evidence = {
        "inputs": _label(regime),
        "element": list(worst.element),
        "float32": worst.computed,
        "float64": worst.correct,
        "error": worst.error,
        "relative error": relative,
        "due to rounding of inputs and parameters": worst.due,
        "times as large": round(worst.excess),
    }
    return Finding(
        f"for {_label(regime)}, float32 is off by {worst.error:.2g} ({worst.error / worst.scale:.1g} of the output's "
        f"size), {worst.excess:.0f} times what rounding its inputs would cause: digits cancel{where}",
        None,
        evidence,
        location,
    )
