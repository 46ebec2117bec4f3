"""low-precision: bfloat16 and float16 give finite results, as near as the problem allows."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from verifykit.checks.registry import Inconclusive, Skip, check
from verifykit.experiments.numerics.blame import forward_origin, operation
from verifykit.experiments.observation import batch_of
from verifykit.experiments.precision.regimes import Regime, neighbours
from verifykit.experiments.precision.rounding import Error, errors, lost, sizes_of, values_of, where_digits_go
from verifykit.experiments.precision.runs import (
    HALVES,
    SINGLE,
    gives_numbers,
    has_precision,
    is_steady,
    plain_run,
    short,
    why_not,
)
from verifykit.results import Finding, Severity, Verified
from verifykit.spec.domain import Interval, Real
from verifykit.spec.model import InputSpec
from verifykit.spec.strategies import cast
from verifykit.spec.subject import Subject
from verifykit.tracing import trace

# What the error is held against: this many units of rounding in every input and parameter, and then so many times that.
# Modules of torch.nn, and correct ones that were written by hand, stay below 2.
UNITS, WIDE, DRAWS = 4.0, 4.0, 4
# A length at which sums and positions outgrow the digits of bfloat16, as far as the elements stay few.
LENGTH, MOST_ELEMENTS, MOST_STEPS = 512, 30_000, 1200
LARGE, HUGE = 30.0, 200.0
# Outputs for huge inputs are bounded, as a normaliser's are, if they grow by no more than this.
BOUNDED = 4.0
# Where no more is asked than that results are finite.
FINITE_ONLY = ("zeros", "values of about 30")


@check("low-precision", family="types", severity="warning", requires=("determinism", "accuracy", "extremes"))
def low_precision(subject: Subject) -> Iterator[Finding | Verified]:
    """In bfloat16 and float16, results are finite and as near to the truth as the problem allows.

    What:
        Casts the module and its inputs to bfloat16 and float16 and compares with float64 at the same numbers: for
        everyday values, zeros, values of about 30 and 200, and long inputs. A result that is not finite though the
        true one fits into the type is reported, as is an error many times what rounding inputs and parameters causes.

    Why it matters:
        float16 ends at 65504 and 6e-8: a sum of squares overflows at inputs of 256, an epsilon of 1e-8 is zero.
        bfloat16 has three digits: positions beyond 256 coincide, long sums stand still.

    Wrong:
        def forward(self, x):
            return x / (x.norm(dim=-1, keepdim=True) + 1e-8)  # 0 / 0 in float16

    Right:
        def forward(self, x):
            return x / (x.norm(dim=-1, keepdim=True) + torch.finfo(x.dtype).tiny ** 0.5)

    When to ignore:
        When the module never runs in half precision, or such inputs cannot occur.
    """
    if not has_precision(subject):
        raise Skip("nothing that is fed or registered is floating-point")
    if not gives_numbers(subject):
        raise Skip("no output holds floating-point numbers")
    if not is_steady(subject):
        raise Skip("two calls on the same inputs differ, so errors cannot be told from noise")
    tried, notes = list[str](), list[str]()
    worst = 0.0
    for dtype in HALVES:
        run = plain_run(subject, dtype)
        if run.error is not None:
            notes.append(f"{short(dtype)} not tried: {why_not(run)}")
            continue
        for regime in _regimes(subject, dtype):
            finding = _not_finite(subject, regime, dtype)
            if finding is not None:
                yield finding
                return
            error = _worst(subject, regime, dtype)
            if error is not None or (regime.name in FINITE_ONLY and _is_finite(subject, regime, dtype)):
                tried.append(f"{short(dtype)} {regime.name}")
            if error is None:
                continue
            if error.excess > WIDE:
                yield _inexact(subject, regime, dtype, error)
                return
            worst = max(worst, error.excess)
    if not tried:
        raise (Skip if len(notes) == len(HALVES) else Inconclusive)("; ".join(notes) or "results are nowhere finite")
    yield Verified("; ".join([", ".join(tried), *notes]), len(tried), worst, f"{WIDE:g}")


def _regimes(subject: Subject, dtype: torch.dtype) -> Iterator[Regime]:
    plain, entries = subject.draw(), subject.spec.inputs

    def changed(value: Tensor, entry: InputSpec, factor: float) -> Tensor:
        domain = entry.domain
        takes_zero = isinstance(domain, Interval) and domain.low <= 0 <= domain.high and domain.closed_low
        free = entry.dtype == "float" and isinstance(domain, Real)
        return factor * value if free or (factor == 0 and takes_zero and entry.dtype == "float") else value

    yield Regime("everyday values", neighbours(subject, plain))
    long = subject.once("long inputs", lambda: _long(subject))
    if long is not None:
        yield long
    for name, factor in (("zeros", 0.0), ("values of about 30", LARGE), ("values of about 200", HUGE)):
        inputs = tuple(changed(value, entry, factor) for value, entry in zip(plain, entries, strict=True))
        if any(one is not other for one, other in zip(inputs, plain, strict=True)):
            regime = Regime(name, neighbours(subject, inputs))
            if factor < HUGE or _is_bounded(subject, regime):
                yield regime


def _long(subject: Subject) -> Regime | None:
    """One dimension that counts no samples, made long."""
    batch = batch_of(subject)
    for symbol in subject.spec.free:
        if batch is not None and symbol != batch.symbol:
            usual = sum(t.numel() for t in subject.draw())
            length = min(LENGTH, MOST_ELEMENTS * subject.spec.usual_sizes[symbol] // max(usual, 1))
            inputs, reached = subject.draw({symbol: length}), list[str]()
            steps = trace(partial(_call, subject, inputs, reached))
            if (
                not reached or len(steps) > MOST_STEPS
            ):  # no size for this module, or a loop over all of it that takes long
                continue
            return Regime(f"everyday values, {symbol} = {length}", (inputs,))
    return None


def _call(subject: Subject, inputs: tuple[Tensor, ...], reached: list[str]) -> None:
    values_of(subject, subject.build(), inputs)
    reached.append("end")


def _is_bounded(subject: Subject, regime: Regime) -> bool:
    """Whether no output grows with the inputs: then nothing on the way to it needs to."""
    try:
        usual, now = (sizes_of(subject, r) for r in (Regime("", (subject.draw(),)), regime))
    except Exception:
        return False
    return all(after <= BOUNDED * before for before, after in zip(usual, now, strict=True))


def _is_finite(subject: Subject, regime: Regime, dtype: torch.dtype) -> bool:
    inputs = cast(regime.inputs, dtype, subject.device)
    try:
        return all(bool(t.isfinite().all()) for t in values_of(subject, subject.build(dtype), inputs))
    except Exception:
        return False


def _worst(subject: Subject, regime: Regime, dtype: torch.dtype) -> Error | None:
    if regime.name in FINITE_ONLY:
        return None
    try:
        found = errors(subject, regime, dtype, units=UNITS, draws=DRAWS, limit=WIDE)
    except Exception:  # values that it refuses in this type
        return None
    return max(found, key=lambda error: error.excess) if found else None


def _not_finite(subject: Subject, regime: Regime, dtype: torch.dtype) -> Finding | None:
    try:
        found = lost(subject, regime, dtype)
        if found is None or lost(subject, regime, SINGLE) is not None:  # extremes tells of single precision
            return None
    except Exception:
        return None
    index, element, value, correct = found
    inputs = cast(regime.inputs, dtype, subject.device)
    step = forward_origin(partial(values_of, subject, subject.build(dtype), inputs))
    done = f" in {operation(step)}()" if step else ""
    verb = "ends in" if value == value else "becomes"
    evidence = {
        "inputs": regime.name,
        "output": index,
        "element": list(element),
        short(dtype): value,
        "float64": correct,
    }
    told = f"in {short(dtype)}, for {regime.name}, the output {verb} {value}{done}, where it is {correct:.4g} in truth"
    return Finding(told, _whose(step.name if step else ""), evidence, step.location if step else None)


def _whose(name: str) -> Severity | None:
    """What happens inside a function of torch.nn is no fault of the module's own code."""
    return "note" if "functional" in name or name.endswith("cosine_similarity") else None


def _inexact(subject: Subject, regime: Regime, dtype: torch.dtype, error: Error) -> Finding:
    inputs = cast(regime.inputs, dtype, subject.device)
    overflow = forward_origin(partial(values_of, subject, subject.build(dtype), inputs))
    if overflow is not None:
        name, location, how = operation(overflow), overflow.location, "numbers overflow"
    else:
        name, location = where_digits_go(subject, regime, dtype)
        how = "digits are lost"
    where = f" in {name}()" if name else ""
    evidence = {
        "inputs": regime.name,
        "element": list(error.element),
        short(dtype): error.computed,
        "float64": error.correct,
        "error": error.error,
        f"due to {UNITS:g} units of rounding": error.due,
    }
    told = (
        f"in {short(dtype)}, for {regime.name}, the output is off by {error.error:.2g} "
        f"({error.error / error.scale:.1g} of its size), {error.excess:.0f} times what rounding its inputs would "
        f"cause: {how}{where}; compute that part in float32"
    )
    return Finding(told, None, evidence, location)
