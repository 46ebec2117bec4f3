"""Charts of cost: the same bytes anywhere, everything told as text, nothing outside the picture."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace

from tests.reporting.cost_data import ALONG_L, ALONG_N, BUILTIN, MEASURED, PROFILED, ROOF, ROOFLINE, under
from verifykit.reporting.charts import charts_of, growth_chart, roofline_chart, svg, with_chart_names
from verifykit.reporting.growth_chart import draw_growth, fitted_line, size_of
from verifykit.reporting.roofline_chart import draw_roofline
from verifykit.results import Audit
from verifykit.results.growth import Growth, GrowthPoint, Law, Roofline, RoofPoint
from verifykit.results.performance import Measurements

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str | None) -> list[str]:
    assert picture is not None
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


def figure(draw: Callable[[Figure], None], size: tuple[float, float]) -> Figure:
    """The figure after it was laid out, to be asked where things are."""
    kept: list[Figure] = []

    def draw_and_keep(empty: Figure) -> None:
        draw(empty)
        kept.append(empty)

    svg(draw_and_keep, size)
    return kept[0]


def grown(found: Growth, name: str) -> Figure:
    return figure(lambda empty: draw_growth(empty, found, name), size_of(found))


def profiled(measured: Measurements) -> Audit:
    return replace(PROFILED, measurements=measured)


def test_the_same_measurements_give_the_same_bytes_in_any_process() -> None:
    code = (
        "import matplotlib, sys; matplotlib.rcParams['font.size'] = 20\n"
        "from tests.reporting.test_cost_charts import PROFILED, charts_of\n"
        "sys.stdout.write(''.join(charts_of(PROFILED).values()))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    drawn = charts_of(PROFILED)
    assert other == "".join(drawn.values()) == "".join(charts_of(PROFILED).values())
    assert list(drawn) == ["roofline", "growth-L", "growth-N"]
    assert not any("date" in picture.lower() for picture in drawn.values())


def test_the_roof_is_written_on_it_and_the_sizes_stand_at_the_points() -> None:
    told = texts(roofline_chart(PROFILED))
    for text in ("148 GFLOP/s in float32", "15.2 GB/s", "L = 16", "L = 64", "L = 256", "L = 1024", BUILTIN):
        assert told.count(text) == 1, text
    assert "arithmetic intensity of forward (FLOP/byte)" in told
    assert "rate of forward (GFLOP/s)" in told


def test_points_far_below_the_roof_and_above_it_are_in_the_picture() -> None:
    points = [under("m:L", 16, 4.0), under("m:L", 1024, 1e-3)]
    assert points[0].reached < 1e-3 < 1 < points[1].reached
    axes = figure(lambda empty: draw_roofline(empty, Roofline(ROOF, points)), (5.6, 3.8)).axes[0]
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for point in points:
        assert left < point.intensity < right
        assert low < point.flops / point.seconds / 1e9 < high


def test_labels_of_points_at_one_place_do_not_lie_upon_each_other() -> None:
    points = [RoofPoint("m:L", {"N": n}, n, 8 * n, n / (1e9 + n), 0.1) for n in range(1000, 1100, 10)]
    assert [text for text in texts(roofline_chart(profiled(Measurements(roofline=Roofline(ROOF, points)))))
            if text.startswith("N = ")] == ["N = 1090"]  # fmt: skip


def test_without_a_flop_there_is_no_roofline() -> None:
    copies = [RoofPoint("m:L", {"N": 4}, 0, 128, 1e-6, 0.1)]
    assert roofline_chart(profiled(Measurements(roofline=Roofline(ROOF, copies)))) is None
    assert roofline_chart(profiled(Measurements())) is None
    mixed = replace(ROOFLINE, points=[*copies, *ROOFLINE.points])
    assert "L = 16" in " ".join(texts(roofline_chart(profiled(Measurements(roofline=mixed)))))


def test_growth_names_its_laws_and_units() -> None:
    told = texts(growth_chart(PROFILED, "L"))
    for text in (
        "L^1.97 ± 0.05",
        "L^1.95 ± 0.08",
        "time of a step (ms)",
        "peak memory (MiB)",
        "LoopAttention",
        BUILTIN,
    ):
        assert text in told, text
    assert told.count("L^2.00") == 2
    assert "operators in a forward" not in told
    told = texts(growth_chart(PROFILED, "N"))
    assert "operators in a forward" in told
    assert "does not grow" in told


def test_nothing_is_outside_and_no_names_meet() -> None:
    for found in (ALONG_L, ALONG_N):
        drawn = grown(found, "Very" * 30)
        whole = drawn.bbox
        legends = [legend for axes in drawn.axes if (legend := axes.get_legend())]
        boxes = [*(one.get_window_extent() for one in (*drawn.legends, *legends)), *(a.bbox for a in drawn.axes)]
        for box in boxes:
            assert box.x0 >= whole.x0 - 1
            assert box.y1 <= whole.y1 + 1
            assert box.x1 <= whole.x1 + 1
        assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_the_law_is_drawn_over_the_upper_half_of_where_it_holds_and_through_the_points() -> None:
    law = Law("time", 2.0, 0.01, 5.0, 3.0, 8)
    points = [(float(n), 5.0 + 3.0 * n**2) for n in (2, 4, 8, 16, 32)]
    line = fitted_line(law, points, 1.0)
    assert line[0] == pytest.approx(points[3])
    assert line[-1] == pytest.approx(points[-1])
    assert all(y == pytest.approx(5 + 3 * x**2) for x, y in line)
    in_units = fitted_line(law, [(x, y / 1e-3) for x, y in points], 1e-3)
    assert in_units[-1] == pytest.approx((32.0, points[-1][1] / 1e-3))
    assert fitted_line(replace(law, start=32), points, 1.0) == []
    assert fitted_line(replace(law, constant=-1e9), points, 1.0) == []


def test_a_law_whose_lower_powers_are_not_known_is_near_the_points_that_it_is_drawn_through() -> None:
    points = [(float(n), 6_000.0 * n + 392.0 * n**2) for n in (4, 8, 16, 32, 64, 128, 256, 384)]
    line = fitted_line(Law("peak memory", 2.0, 0.0, 0.0, 392.0, 16), points, 1.0)
    truth = [6_000 * x + 392 * x**2 for x, _ in line]
    assert line[-1][0] == 384
    assert all(abs(math.log(y / there)) < math.log(1.05) for (_, y), there in zip(line, truth, strict=True))


def test_a_law_that_is_not_known_is_not_drawn() -> None:
    for law in (Law("time", 0.2, 0.4, 0.0, 1.0, 4), Law("time", 0.0, 0.05, 0.0, 1.0, 4, "log L")):
        told = texts(
            growth_chart(profiled(Measurements(growth=[replace(ALONG_L, laws=[law], reference_laws=[])])), "L")
        )
        assert not any("^" in text or "grow" in text for text in told)


@pytest.mark.parametrize(
    "points",
    [
        [GrowthPoint(1, 1e-5, 0, 0, 5), GrowthPoint(2, 1.01e-5, 0, 0, 5)],
        [GrowthPoint(n, 1e-9, 8, 0, 0) for n in (3, 6, 12)],
        [GrowthPoint(n, 1e-6 * n**3, n**4, 0, n) for n in (1, 2, 3, 1025, 4097, 65537)],
    ],
)
def test_any_series_has_ticks_apart_from_each_other(points: list[GrowthPoint]) -> None:
    drawn = grown(Growth("n", points, [], "why"), "L")
    for axes in drawn.axes:
        for labels, extent in ((axes.get_xticklabels(), "x"), (axes.get_yticklabels(), "y")):
            assert len([label for label in labels if label.get_text()]) >= 2
            ends = sorted(getattr(label.get_window_extent(), f"interval{extent}").tolist() for label in labels)
            assert all(before[1] < after[0] for before, after in pairwise(ends))
            assert all(math.isfinite(value) for end in ends for value in end)


def test_fewer_than_two_sizes_are_no_chart() -> None:
    assert growth_chart(profiled(Measurements(growth=[replace(ALONG_L, points=ALONG_L.points[:1])])), "L") is None
    nothing = [GrowthPoint(size, 0.0, 0, 0, 3) for size in (1, 2)]
    assert growth_chart(profiled(Measurements(growth=[Growth("L", nothing, [], "why")])), "L") is None
    assert growth_chart(PROFILED, "absent") is None


def test_charts_are_named_in_the_results_by_their_suffix() -> None:
    symbols = ["N", "n", "a/b", "N"]
    audit = profiled(replace(MEASURED, growth=[replace(ALONG_L, symbol=symbol) for symbol in symbols[:3]]))
    drawn = charts_of(audit)
    assert list(drawn) == ["roofline", "growth-N", "growth-n-2", "growth-a-b"]
    named = with_chart_names(audit, {suffix: f"L.{suffix}.svg" for suffix in drawn}).measurements
    assert named.roofline is not None
    assert named.roofline.chart == "L.roofline.svg"
    assert [found.chart for found in named.growth] == ["L.growth-N.svg", "L.growth-n-2.svg", "L.growth-a-b.svg"]
    assert with_chart_names(Audit("m:L", "error"), {}) == Audit("m:L", "error")


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = "a<b>&$x^2$\x1b\n" + "long" * 40
    points = [replace(point, name=evil) for point in ROOFLINE.points]
    grown = replace(ALONG_L, symbol="L<$y$>", reference=evil)
    audit = replace(profiled(Measurements(roofline=Roofline(ROOF, points), growth=[grown])), target=f"m:{evil}")
    for picture in charts_of(audit).values():
        shown = [text for text in texts(picture) if text.startswith("a<b>")]
        assert shown
        assert all(text.startswith("a<b>&$x^2$\\x1b long") and len(text) <= 72 for text in shown)
