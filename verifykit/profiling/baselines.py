"""Measurements kept under a name, and later ones held against them."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from verifykit.errors import OutputError, UserError, did_you_mean
from verifykit.files import write_whole
from verifykit.profiling.costs import Cost, Kind, change, costs_of
from verifykit.profiling.machine import fingerprint
from verifykit.results.cost import Profile
from verifykit.results.performance import BaselineComparison, Measurements

FOLDER = Path(".verifykit") / "profiles"
MOST_BYTES = 1_000_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Baseline(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["verifykit.profile-baseline/1"]
    target: str
    saved: str
    machine: dict[str, str]
    sizes: dict[str, int]
    dtype: str
    threads: int
    parameters: int
    reference: str | None
    costs: list[Cost]


def save(name: str, target: str, measurements: Measurements, folder: Path) -> Path:
    """Keep what was measured of ``target`` under ``name``, below ``folder``; return the file. One of the same name is
    replaced.

    Raises:
        UserError: ``name`` is no plain file name, or nothing was measured.
        OutputError: it cannot be written.
    """
    path = _folder(folder, target) / f"{_checked(name)}.json"
    profile = _profile(measurements, target)
    baseline = _Baseline(
        "verifykit.profile-baseline/1",
        target,
        datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint(),
        profile.sizes,
        profile.dtype,
        profile.threads,
        profile.parameters,
        measurements.reference.name if measurements.reference is not None else None,
        costs_of(measurements),
    )
    try:
        write_whole(path, msgspec.json.format(msgspec.json.encode(baseline)) + b"\n")
    except OSError as error:
        raise OutputError(f"cannot save the baseline {path}: {error.strerror or error}.") from error
    return path


def check_names(save_as: str | None, compare_with: str | None, targets: Sequence[str], folder: Path) -> None:
    """Find out before a long run whether the one name can be saved under, and something is saved under the other.

    Raises:
        UserError: what :func:`save` or :func:`compare` would raise for their names.
    """
    if save_as is not None:
        _checked(save_as)
    if compare_with is not None:
        for target in targets:
            _read(_folder(folder, target), _checked(compare_with), target)


def compare(name: str, target: str, measurements: Measurements, folder: Path) -> BaselineComparison:
    """Hold what was measured of ``target`` against what was saved under ``name``, below ``folder``.

    What can be compared is: ratios to the reference on any machine, what is counted anywhere, laws of growth from any
    size on; times only on the machine they were measured on, which a warning says where it is another.

    Raises:
        UserError: ``name`` is no plain file name, nothing is saved under it, or it is damaged; or nothing was measured.
    """
    before = _read(_folder(folder, target), _checked(name), target)
    profile = _profile(measurements, target)
    excluded: set[Kind] = set()
    warnings = []
    for warning, kinds in _differences(before, profile, measurements):
        warnings.append(warning)
        excluded.update(kinds)
    known = {cost.what: cost for cost in before.costs if cost.kind not in excluded}
    changes = []
    for cost in costs_of(measurements):
        if cost.what in known:
            found = change(known[cost.what], cost)
            if found is not None:
                changes.append(found)
            elif cost.value != known[cost.what].value:
                warnings.append(f"{cost.what}: {cost.value:g}, it was {known[cost.what].value:g}")
    return BaselineComparison(name, before.saved, changes, warnings)


def _differences(
    before: _Baseline, profile: Profile, measurements: Measurements
) -> Iterator[tuple[str, Sequence[Kind]]]:
    """What is different, in words, and the kinds of costs that cannot be compared for it."""
    if before.dtype != profile.dtype:
        yield f"measured in {profile.dtype}, saved in {before.dtype}: nothing is compared", tuple(_ALL)
    if before.sizes != profile.sizes:
        told = f"measured at {_listed(profile.sizes)}, saved at {_listed(before.sizes)}: only growth is compared"
        yield told, ("ratio", "time", "counted")
    if before.threads != profile.threads:
        told = f"measured on {profile.threads} threads, saved on {before.threads}: no times are compared"
        yield told, ("ratio", "time", "growth of time")
    now = measurements.reference.name if measurements.reference is not None else None
    if before.reference is not None and before.reference != now:
        yield f"the reference is {now or 'missing'}, it was {before.reference}: ratios are not compared", ("ratio",)
    if before.parameters != profile.parameters:
        yield f"the module has {profile.parameters} parameters, it had {before.parameters}", ()
    machine = {key: value for key, value in fingerprint().items() if key != "threads"}
    other = [
        f"{key} {value or 'none'}, saved on {before.machine.get(key, 'none')}"
        for key, value in machine.items()
        if before.machine.get(key) != value
    ]
    if other:
        yield f"another machine ({'; '.join(other)}): times differ for that alone", ()


_ALL: tuple[Kind, ...] = ("ratio", "time", "counted", "growth", "growth of time")


def _read(folder: Path, name: str, target: str) -> _Baseline:
    path = folder / f"{name}.json"
    if not path.is_file():
        saved = sorted(file.stem for file in folder.glob("*.json"))
        listed = f"saved are {', '.join(saved)}" if saved else "none is saved, --save NAME saves one"
        raise UserError(f"there is no baseline {name!r} of {target}: {listed}.{did_you_mean(name, saved)}")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"the baseline {path} is larger than {MOST_BYTES} bytes, as none of ours is: save it anew.")
        return msgspec.json.decode(path.read_bytes(), type=_Baseline)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(f"the baseline {path} cannot be read ({error}): save it anew.") from error


def _profile(measurements: Measurements, target: str) -> Profile:
    if measurements.profile is None:
        raise UserError(f"nothing was measured of {target}: {measurements.reason or 'there is no profile'}.")
    return measurements.profile


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UserError(
            f"the name of a baseline cannot be {name!r}: expected letters, digits, '.', '_' and '-', at most 64, the "
            f"first a letter or digit."
        )
    return name


def _folder(folder: Path, target: str) -> Path:
    """A folder for each target, told apart also where their names differ in other characters only."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", target).strip("-.")[-60:]
    return folder / FOLDER / f"{readable}-{hashlib.sha256(target.encode()).hexdigest()[:8]}"


def _listed(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items()) or "fixed sizes"
