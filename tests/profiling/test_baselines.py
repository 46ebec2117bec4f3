"""Measurements that are kept, and what later ones are held to be beside them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from verifykit.errors import OutputError, UserError
from verifykit.profiling import machine
from verifykit.profiling.baselines import compare, save
from verifykit.results.cost import Memory, Profile, Ratio, Timing, Where, Work
from verifykit.results.growth import Growth, Law
from verifykit.results.performance import BaselineComparison, Measurements

TARGET = "package.module:Layer"


def timing(seconds: float) -> Timing:
    return Timing(seconds, 0.02 * seconds, 500, 0.99 * seconds)


PROFILE = Profile(
    name=TARGET,
    sizes={"N": 32, "L": 64},
    dtype="float32",
    threads=2,
    parameters=100,
    parameter_bytes=400,
    forward=timing(1e-3),
    backward=timing(2e-3),
    step=timing(3e-3),
    work=Work(1000, 2000, 4000),
    forward_operators=[],
    backward_operators=[],
    memory=Memory(100, 200, 400, 0, 5000, 6000, 9000, 700),
    where=Where(operators_per_call=12),
)
MEASURED = Measurements(
    profile=PROFILE,
    reference=replace(PROFILE, name="torch.nn:Linear(3, 4)"),
    forward_ratio=Ratio(2.0, 1.9, 2.1),
    backward_ratio=Ratio(1.0, 0.95, 1.05),
    step_ratio=Ratio(1.5, 1.4, 1.6),
    growth=[Growth("L", [], [Law("time", 1.0, 0.02, 0.0, 1.0, 16), Law("operators", 0.0, 0.0, 12.0, 0.0, 1)], "time")],
)


def held(now: Measurements, folder: Path, before: Measurements = MEASURED) -> BaselineComparison:
    save("main", TARGET, before, folder)
    return compare("main", TARGET, now, folder)


def with_profile(**changes: object) -> Measurements:
    return replace(MEASURED, profile=replace(PROFILE, **changes))


def test_the_same_again_is_no_difference(tmp_path: Path) -> None:
    found = held(MEASURED, tmp_path)
    assert found.warnings == []
    assert found.name == "main"
    assert [change.what for change in found.changes] == [
        "forward against the reference",
        "backward against the reference",
        "training step against the reference",
        "forward",
        "backward",
        "training step",
        "FLOPs of forward",
        "FLOPs of backward",
        "bytes that must move",
        "peak memory of forward",
        "peak memory of backward",
        "saved for backward",
        "operators of forward",
        "time as L doubles",
        "operators as L doubles",
    ]
    for change in found.changes:
        assert change.before == change.now
        assert change.ratio.value == 1
        assert not change.ratio.is_measured


def test_what_changed_beyond_its_noise(tmp_path: Path) -> None:
    now = replace(
        with_profile(memory=replace(PROFILE.memory, forward_peak=10_000), forward=timing(1.01e-3), step=timing(1e-3)),
        forward_ratio=Ratio(3.0, 2.9, 3.1),
        backward_ratio=Ratio(1.02, 0.97, 1.07),
        growth=[Growth("L", [], [Law("time", 2.0, 0.03, 0.0, 1.0, 16)], "time")],
    )
    changes = {change.what: change for change in held(now, tmp_path).changes}
    forward = changes["forward against the reference"]
    assert (forward.before, forward.now, forward.ratio.value) == (2.0, 3.0, 1.5)
    assert (forward.ratio.low, forward.ratio.high) == pytest.approx((2.9 / 2.1, 3.1 / 1.9))
    assert forward.ratio.is_measured
    assert not changes["backward against the reference"].ratio.is_measured
    assert not changes["forward"].ratio.is_measured  # 1 % more in another run is noise
    assert changes["training step"].ratio.is_measured
    assert changes["training step"].unit == "s"
    assert changes["peak memory of forward"].ratio == Ratio(2, 2, 2)
    assert changes["peak memory of forward"].unit == "B"
    growth = changes["time as L doubles"]
    assert (growth.before, growth.now) == (2.0, 4.0)
    assert (growth.ratio.low, growth.ratio.high) == pytest.approx((2**0.95, 2**1.05))
    assert "operators as L doubles" not in changes


def test_what_was_nothing_has_no_ratio(tmp_path: Path) -> None:
    nothing = with_profile(work=Work(0, None, 0))
    found = held(MEASURED, tmp_path, nothing)
    assert not {"FLOPs of forward", "FLOPs of backward"} & {change.what for change in found.changes}
    assert found.warnings == ["FLOPs of forward: 1000, it was 0", "bytes that must move: 4000, it was 0"]
    found = held(nothing, tmp_path, nothing)
    assert found.warnings == []


@pytest.mark.parametrize(
    ("now", "warning", "left"),
    [
        (with_profile(sizes={"N": 8, "L": 64}), "measured at N=8, L=64, saved at N=32, L=64", {"growth"}),
        (with_profile(dtype="float64"), "measured in float64, saved in float32", set()),
        (with_profile(threads=1), "measured on 1 threads, saved on 2: no times", {"counted", "operators as L doubles"}),
        (
            replace(MEASURED, reference=replace(PROFILE, name="torch.nn:Linear(5, 4)")),
            r"the reference is torch.nn:Linear\(5, 4\), it was torch.nn:Linear\(3, 4\): ratios are not compared",
            {"times", "counted", "growth"},
        ),
        (
            replace(MEASURED, reference=None, forward_ratio=None, backward_ratio=None, step_ratio=None),
            "the reference is missing",
            {"times", "counted", "growth"},
        ),
        (
            with_profile(parameters=110),
            "the module has 110 parameters, it had 100",
            {"ratios", "times", "counted", "growth"},
        ),
    ],
)
def test_only_what_is_comparable_is_compared(tmp_path: Path, now: Measurements, warning: str, left: set[str]) -> None:
    kinds = {
        "ratios": {f"{what} against the reference" for what in ("forward", "backward", "training step")},
        "times": {"forward", "backward", "training step"},
        "counted": {
            *("FLOPs of forward", "FLOPs of backward", "bytes that must move", "peak memory of forward"),
            *("peak memory of backward", "saved for backward", "operators of forward"),
        },
        "growth": {"time as L doubles", "operators as L doubles"},
    }
    found = held(now, tmp_path)
    (told,) = found.warnings
    assert re.search(warning, told)
    expected = set().union(*(kinds.get(kind, {kind}) for kind in left))
    assert {change.what for change in found.changes} == expected


def test_another_machine_is_told_and_ratios_stand(tmp_path: Path) -> None:
    path = save("main", TARGET, MEASURED, tmp_path)
    saved = json.loads(path.read_text())
    assert saved["machine"] == machine.fingerprint()
    saved["machine"]["cpu"] = "Another 9000"
    path.write_text(json.dumps(saved))
    found = compare("main", TARGET, MEASURED, tmp_path)
    (warning,) = found.warnings
    assert warning.startswith("another machine (cpu ")
    assert "saved on Another 9000" in warning
    assert len(found.changes) == 15


def test_where_it_is_kept(tmp_path: Path) -> None:
    path = save("before-1.2_x", TARGET, MEASURED, tmp_path)
    assert path.parent.parent == tmp_path / ".verifykit" / "profiles"
    assert path.name == "before-1.2_x.json"
    assert json.loads(path.read_text())["schema"] == "verifykit.profile-baseline/1"
    # Targets that differ only in what no file name can hold do not meet.
    other = save("before-1.2_x", "package.module-Layer", MEASURED, tmp_path)
    assert other.parent != path.parent
    assert save("a", "../../etc/passwd:X" * 30, MEASURED, tmp_path).is_relative_to(tmp_path / ".verifykit" / "profiles")
    assert [file.name for file in path.parent.iterdir()] == ["before-1.2_x.json"]
    save("before-1.2_x", TARGET, with_profile(parameters=7), tmp_path)
    assert json.loads(path.read_text())["parameters"] == 7


@pytest.mark.parametrize("name", ["", "../x", "a/b", "..", ".hidden", "a b", "-x", "x" * 65, "a\n", "ä", "C:x", "a\\b"])
def test_a_name_is_a_plain_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="the name of a baseline cannot be") as raised:
        save(name, TARGET, MEASURED, tmp_path)
    assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="the name of a baseline cannot be"):
        compare(name, TARGET, MEASURED, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"no baseline 'main' of {TARGET}: none is saved, --save NAME saves one\."):
        compare("main", TARGET, MEASURED, tmp_path)
    save("main", TARGET, MEASURED, tmp_path)
    save("other", TARGET, MEASURED, tmp_path)
    with pytest.raises(UserError, match=r"no baseline 'mian'.*saved are main, other\. Did you mean 'main'\?"):
        compare("mian", TARGET, MEASURED, tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("profile-baseline/1", "profile-baseline/2"),
        lambda text: text.replace('"threads": 2', '"threads": "2"'),
        lambda text: text.replace('"threads": 2', '"threads": 2, "more": 1'),
        lambda text: text.replace('"kind": "time"', '"kind": "weather"'),
        lambda text: text.replace('"kind": "time"', '"kind": "time", "extra": 1'),
        lambda text: text + " " * 1_000_001,
    ],
)
def test_a_damaged_one_is_refused(tmp_path: Path, damage: Callable[[str], str]) -> None:
    path = save("main", TARGET, MEASURED, tmp_path)
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    with pytest.raises(UserError, match="save it anew") as raised:
        compare("main", TARGET, MEASURED, tmp_path)
    assert "\n" not in str(raised.value)


def test_nothing_measured_is_not_saved(tmp_path: Path) -> None:
    nothing = Measurements(reason="profiling failed: RuntimeError: no")
    for held_or_kept in (save, compare):
        if held_or_kept is compare:
            save("main", TARGET, MEASURED, tmp_path)
        with pytest.raises(UserError, match=f"nothing was measured of {TARGET}: profiling failed"):
            held_or_kept("main", TARGET, nothing, tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".verifykit").write_text("a file")
    with pytest.raises(OutputError, match="cannot save the baseline"):
        save("main", TARGET, MEASURED, tmp_path)
