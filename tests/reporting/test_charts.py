"""Charts: the same bytes for the same curve, jumps as gaps, nothing of the user's settings."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import msgspec
from click.testing import CliRunner
from matplotlib.figure import Figure

from verifykit.cli import group
from verifykit.reporting.charts import curve_chart, svg, with_chart_names
from verifykit.reporting.curve_chart import OWN, draw_curve
from verifykit.results import Audit, CheckOutcome
from verifykit.results.identity import Break, Curve, Identity

INF = math.inf


def line(count: int = 41) -> list[tuple[float, float]]:
    return [(x, x if x > 0.5 else 0.0) for x in (-2 + 4 * i / (count - 1) for i in range(count))]


def curve(**changes: object) -> Curve:
    jump = Break(0.5, "jump", 0.5, 0.0, 0.5, 0.0)
    found = Curve(0.0, "0", "like x", [(-INF, 0.5, "constant"), (0.5, INF, "rising")], [jump], None, line())
    return msgspec.structs.replace(found, **changes)


def audit(found: Curve | None, target: str = "m:Layer") -> Audit:
    return Audit(target, "passed", checks=[CheckOutcome("identity", "passed", identity=Identity(curve=found))])


def drawn(found: Curve) -> str:
    return svg(lambda figure: draw_curve(figure.add_subplot(), found, "Layer"))


def strokes(picture: str, colour: str = OWN) -> list[str]:
    """The paths of lines in one colour."""
    paths = ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}path")
    return [p.get("d", "") for p in paths if f"stroke: {colour.lower()}" in p.get("style", "") and p.get("clip-path")]


def test_the_same_curve_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "import matplotlib; matplotlib.rcParams['lines.linewidth'] = 9; matplotlib.rcParams['font.size'] = 20\n"
        "from tests.reporting.test_charts import curve, drawn; import sys; sys.stdout.write(drawn(curve()))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert other == drawn(curve()) == drawn(curve())


def test_the_settings_of_the_user_are_left_alone() -> None:
    before = dict(matplotlib.rcParams)
    drawn(curve())
    assert dict(matplotlib.rcParams) == before


def test_a_jump_is_a_gap_and_a_smooth_curve_is_one_line() -> None:
    smooth = curve(points=[(x, math.tanh(50 * x)) for x, _ in line(201)], breaks=[])
    assert len(strokes(drawn(curve()))) == 2
    assert len(strokes(drawn(smooth))) == 1


def test_a_jump_of_the_nearest_at_another_place_is_a_gap_too() -> None:
    elsewhere = [(x, 1.0 if x > 1.01 else 0.0) for x, _ in line()]
    picture = drawn(curve(nearest="torch.nn.Step()", nearest_points=elsewhere))
    assert len(strokes(picture, "#E69F00")) == 2


def test_a_pole_does_not_flatten_the_rest() -> None:
    xs = [x + 1e-3 for x, _ in line(201)]
    pole = curve(points=[(x, 1 / x) for x in xs], breaks=[Break(0.0, "pole", INF, -INF, INF, INF)])
    height = {}

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw_curve(axes, pole, "Layer")
        height["limits"] = axes.get_ylim()

    svg(draw)
    assert height["limits"][1] < 50


def test_names_are_text_and_nothing_else() -> None:
    picture = curve_chart(audit(curve(nearest="a<b>&$x^2$", nearest_points=line()), "m:La$y$er\x1b"))
    assert picture is not None
    texts = [element.text for element in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert "a<b>&$x^2$" in texts
    assert "La$y$er\\x1b" in texts


def test_an_audit_without_a_curve_has_no_chart() -> None:
    assert curve_chart(audit(None)) is None
    assert curve_chart(audit(curve(points=[]))) is None
    assert curve_chart(Audit("m:L", "error")) is None
    named = with_chart_names(audit(curve()), {"curve": "Layer.curve.svg"}).identity
    assert named is not None
    assert named.curve is not None
    assert named.curve.chart == "Layer.curve.svg"


def test_matplotlib_is_imported_for_a_chart_only() -> None:
    code = (
        "import sys, verifykit.reporting.charts, verifykit.reporting.markdown; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_chart_lies_beside_the_markdown_page_that_links_it(tmp_path: Path) -> None:
    arguments = [
        "audit",
        "reference_modules:ThresholdReLU",
        "--init",
        "threshold=0.5",
        "--select",
        "identity",
        "--no-profile",
    ]
    runner = CliRunner()
    alone = runner.invoke(group, [*arguments, "--format", "markdown"])
    assert "a jump of 0.5 at x = 0.5" in alone.output
    assert "![" not in alone.output
    result = runner.invoke(group, [*arguments, "--format", "markdown", "--format", "json", "--output", str(tmp_path)])
    assert result.exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "ThresholdReLU.curve.svg", "ThresholdReLU.json", "ThresholdReLU.md"
    ]  # fmt: skip
    assert "(ThresholdReLU.curve.svg)" in (tmp_path / "ThresholdReLU.md").read_text()
    assert (tmp_path / "ThresholdReLU.curve.svg").read_text().startswith("<?xml")
