"""What is told of the identity of a target, in Markdown and on the terminal."""

import io
import math

import pytest
from rich.console import Console

from verifykit.reporting import render
from verifykit.reporting.curve_text import break_texts, curve_rows
from verifykit.reporting.identity import lines, section
from verifykit.reporting.terminal import print_report
from verifykit.results import Audit, CheckOutcome, Environment, Report
from verifykit.results.identity import Break, Curve, Decomposition, Identity, Likeness, Term

INF = math.inf
LINEAR = "torch.nn.Linear(6, 4)"
THRESHOLD = Curve(
    at_zero=0.0,
    at_minus_infinity="0",
    at_infinity="like x",
    pieces=[(-INF, 0.5, "constant"), (0.5, INF, "rising")],
    breaks=[Break(0.5, "jump", 0.5, 0.0, 0.5, 0.0)],
    lipschitz=None,
    points=[(-1.0, 0.0), (0.5, 0.0), (1.0, 1.0)],
    domain=[(-INF, INF)],
    least=0.0,
)


def audit(identity: Identity | None, target: str = "pkg.mod:Layer") -> Audit:
    return Audit(
        target,
        "passed",
        checks=[CheckOutcome("gradient", "passed"), CheckOutcome("identity", "passed", identity=identity)],
    )


def page(identity: Identity, target: str = "pkg.mod:Layer") -> str:
    return "\n\n".join(section(audit(identity, target), "##"))


def report(identity: Identity) -> Report:
    return Report(Environment("3.11", "2.13", "Linux", "cpu", 2), 0, [audit(identity)])


@pytest.mark.parametrize(
    ("likeness", "told"),
    [
        (Likeness("identical", LINEAR), f"Layer is {LINEAR}"),
        (
            Likeness("identical up to", LINEAR, ["its initialisation: weight is N(0, 1)"]),
            f"Layer is {LINEAR} up to its initialisation: weight is N(0, 1)",
        ),
        (
            Likeness("identical up to", LINEAR, ["weight is transposed", "a factor of 2"]),
            f"Layer is {LINEAR} where weight is transposed, up to a factor of 2",
        ),
        (
            Likeness("close", "torch.nn.GELU()", deviations=["the approximation by tanh"]),
            "Layer is close to torch.nn.GELU() but not equal: the approximation by tanh",
        ),
    ],
)
def test_the_relation_is_one_sentence(likeness: Likeness, told: str) -> None:
    assert lines(audit(Identity(likeness))) == [told]
    sentence = page(Identity(likeness)).split("\n\n")[1]
    assert sentence.replace("`", "") == f"{told}."
    assert sentence.startswith("`Layer` is ")


def test_what_was_tested_and_noted_is_said() -> None:
    likeness = Likeness(
        "identical", LINEAR, notes=["at nan both give nan"], domain="x: float[N, 6]", examples=22, worst=2.5e-16,
        evidence={"output scale": 4.3},
    )  # fmt: skip
    text = page(Identity(likeness, suggestion="torch.nn.Linear(6, 4) does the same 2.0 times faster"))
    assert "Compared at 22 points, with a greatest error of 2.5e-16 relative to the greatest value." in text
    assert r"Tested: x: float\[N, 6\]." in text
    assert "Note: at nan both give nan." in text
    assert "| output scale | `4.3`" in text
    assert "**Use it instead:** torch.nn.Linear(6, 4) does the same 2.0 times faster." in text


def test_a_loss_is_written_as_a_sum_and_what_is_left_is_admitted() -> None:
    terms = [Term(1.0, "MSELoss(p, t)"), Term(-0.1234567, "mean(|p|)", exact=False)]
    whole, part = (Identity(decomposition=Decomposition(terms, share, 25, 1e-16)) for share in (0.0, 0.0123))
    assert "```\nLayer = 1·MSELoss(p, t) - 0.123457·mean(|p|)\n```" in page(whole)
    assert "not explained" not in page(whole)
    assert "1.23% of its variance is not explained" in page(part)
    assert "| `mean(¦p¦)`     | `-0.123457`   | fitted  |" in page(part)
    assert lines(audit(part)) == [
        "Layer = 1·MSELoss(p, t) - 0.123457·mean(|p|) + something else (1.23% of its variance unexplained)"
    ]


def test_a_curve_is_a_table_and_its_chart_is_linked_where_there_is_one() -> None:
    text = page(Identity(curve=THRESHOLD))
    assert "| kinks and jumps | a jump of 0.5 at x = 0.5            |" in text
    assert "| goes            | constant up to 0.5, rising from 0.5 |" in text
    assert "![" not in text
    drawn = Curve(
        **{name: getattr(THRESHOLD, name) for name in THRESHOLD.__struct_fields__} | {"chart": "Layer.curve.svg"}
    )
    assert "![Layer](Layer.curve.svg)" in page(Identity(curve=drawn))
    assert lines(audit(Identity(curve=THRESHOLD))) == ["Layer has a jump of 0.5 at x = 0.5"]


def test_curves_of_every_kind_are_put_in_words() -> None:
    odd = Curve(
        at_zero=-INF,
        at_minus_infinity="not defined",
        at_infinity="-inf, like -x^2",
        pieces=[(0.0, 1.5, "rising"), (1.5, 2.0, "falling")],
        breaks=[
            Break(0.25, "pole", INF),
            Break(0.5, "kink", INF, INF, INF),
            Break(1.0, "kink", -0.5, 1.5, 1.0),
        ],
        lipschitz=1.25,
        points=[],
        domain=[(0.0, 2.0), (3.0, INF)],
        least=-1.0,
        greatest=1 / 3,
        more_breaks=7,
        more_pieces=3,
    )
    assert dict(curve_rows(odd)) == {
        "finite": "from 0 to 2; from 3",
        "at 0": "-∞",
        "towards -∞": "not defined",
        "towards +∞": "-∞, like -x^2",
        "goes": "rising up to 1.5, falling from 1.5 to 2, and so on",
        "kinks and jumps": "a pole at x = 0.25; an infinite slope at x = 0.5; "
        "a kink at x = 1, where the slope goes from 1.5 to 1; about 7 more",
        "steepest slope": "1.25",
        "values": "between -1 and 0.333333",
    }
    assert break_texts(THRESHOLD) == ["a jump of 0.5 at x = 0.5"]


def test_text_of_audited_modules_is_harmless() -> None:
    likeness = Likeness("close", "evil`[x](http://a)|", deviations=["<script>\x1b[31m@all"], domain="[y](z)")
    text = page(Identity(likeness, suggestion="**bold**"), "m:La|yer\x1b[0m")
    for forbidden in ("\x1b", "<script>", "[y](z)", "@all"):
        assert forbidden not in text
    assert "\x1b" not in "".join(lines(audit(Identity(likeness), "m:La\x1b[0m")))


def test_it_stands_between_findings_and_what_was_verified_and_on_the_terminal() -> None:
    found = Identity(Likeness("identical", LINEAR), curve=THRESHOLD)
    text = render(report(found), "markdown")
    assert "## Which built-in is it" in text
    file = io.StringIO()
    print_report(report(found), Console(file=file, width=80))
    assert f"Layer is {LINEAR}\nLayer has a jump of 0.5 at x = 0.5\n" in file.getvalue()
    assert '"identity": {' in render(report(found), "json")


def test_nothing_is_said_where_nothing_is_known() -> None:
    for identity in (None, Identity()):
        assert list(section(audit(identity), "##")) == []
        assert lines(audit(identity)) == []
