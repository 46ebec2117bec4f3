from pathlib import Path

import pytest

from verifykit.errors import OutputError
from verifykit.reporting.units import bandwidth, count, multiple, plain, rate, ratio, seconds, share, size
from verifykit.reporting.writing import check_writable, file_names, report_paths, write_atomically
from verifykit.results.cost import Ratio


def test_writing_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.md"
    write_atomically(path, "one")
    write_atomically(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["b.md"]


@pytest.mark.parametrize("write", [lambda path: write_atomically(path, "x"), check_writable])
@pytest.mark.parametrize("place", ["file/report.md", "folder"])
def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path, write: object, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot write"):
        write(tmp_path / place)  # type: ignore[operator]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_check_for_writability_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep" / "report.md")
    assert list(tmp_path.iterdir()) == []


def test_what_output_stands_for(tmp_path: Path) -> None:
    formats = {"markdown": ".md"}
    assert report_paths(["m:A", "m:B"], formats, "all.md") == {Path("all.md"): ("markdown", None)}
    folder = {tmp_path / "A.md": ("markdown", "m:A"), tmp_path / "B.md": ("markdown", "m:B")}
    assert report_paths(["m:A", "m:B"], formats, str(tmp_path)) == folder
    assert set(report_paths(["m:A"], {**formats, "json": ".json"}, "out")) == {Path("out/A.md"), Path("out/A.json")}


def test_files_of_targets_that_share_a_name() -> None:
    assert file_names(["a.b:L", "c:L", "c:M"]) == {"a.b:L": "a.b-L", "c:L": "c-L", "c:M": "M"}
    assert file_names(["x/y.py:../../etc"]) == {"x/y.py:../../etc": "etc"}


def test_units() -> None:
    assert [seconds(v) for v in (2.0, 0.0123, 4.56e-5, 7.8e-8, 0.0)] == [
        "2.00 s",
        "12.3 ms",
        "45.6 µs",
        "78.0 ns",
        "0.00 ns",
    ]
    assert [size(v) for v in (512, 2048, 3 * 2**20)] == ["512 B", "2.00 KiB", "3.00 MiB"]
    assert [count(v) for v in (9999, 16_800_000)] == ["9,999", "16.8 M"]
    assert [ratio(Ratio(*v)) for v in ((0.5, 0.4, 0.625), (1.02, 0.99, 1.05), (3.0, 2.5, 120.0))] == [
        "2.00x faster (1.60 to 2.50)",
        "no difference measured (0.99 to 1.05)",
        "3.00x slower (2.50 to 120)",
    ]
    assert ratio(Ratio(3.0, 2.5, 3.5), "less", "more") == "3.00x more (2.50 to 3.50)"
    assert [multiple(*v) for v in ((6, 3), (3, 6), (3, 3), (1004, 1000), (1000, 1004), (0, 0), (0, 3), (None, 3))] == [
        "2.00x more", "2.00x less", "the same", "the same", "the same", "the same", "", ""
    ]  # fmt: skip
    assert ratio(Ratio(0.996, 0.996, 0.996), "less", "more") == "the same"
    assert [rate(v) for v in (9.5e10, 1.2e13, 3.0)] == ["95.0 GFLOP/s", "12.0 TFLOP/s", "3.00 FLOP/s"]
    assert [bandwidth(v) for v in (1.42e10, 2e12)] == ["14.2 GB/s", "2.00 TB/s"]
    assert [share(v) for v in (1.2, 0.43, 0.0995, 0.0312, 1e-5, 0.0)] == ["120%", "43%", "10%", "3.1%", "0.001%", "0%"]
    assert plain({"a": [1.23456789, True, None]}) == "a = [1.23457, True, None]"
