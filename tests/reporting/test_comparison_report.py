"""What is told of the cost of a candidate beside that of what it is to replace."""

import io
import json
import re

from msgspec.structs import replace
from rich.console import Console

from verifykit.reporting.comparison import as_json, as_markdown, print_comparison
from verifykit.results.comparison import Comparison, Cost, Precision
from verifykit.results.cost import Ratio, Timing

OWN = Cost("m:Fast", {"N": 8}, Timing(1e-5, 1e-7, 900), Timing(2e-5, 1e-7, 900), 28, 112, 4096, 300)
OTHER = Cost("torch.nn:Linear", {"N": 8}, Timing(2e-5, 1e-7, 900), Timing(2e-5, 1e-7, 900), 28, 112, 2048, 300)
FOUND = Comparison(
    "m:Fast", "torch.nn:Linear", "equal",
    precisions=[Precision("float32", "equal", "to rounding", 12, 1e-7)],
    candidate_cost=OWN, reference_cost=OTHER,
    forward_ratio=Ratio(0.5, 0.48, 0.52), backward_ratio=Ratio(1.0, 0.97, 1.02), memory_ratio=2.0,
)  # fmt: skip


def test_ratios_stand_with_their_intervals() -> None:
    page = as_markdown(FOUND)
    assert (
        "| compared | 2.00x faster (1.92 to 2.08) | no difference measured (0.97 to 1.02) | | 2.00x more | the same |"
        in page
    )
    rows = [row for row in page.partition("## Cost")[2].splitlines() if row.startswith("|")]
    assert {len(re.findall(r"\|", row)) for row in rows} == {7}
    stream = io.StringIO()
    print_comparison(FOUND, Console(file=stream, width=300))
    assert "cost: forward 10.0 µs, 2.00x faster (1.92 to 2.08); backward 20.0 µs, no difference" in stream.getvalue()
    assert json.loads(as_json(FOUND))["forward_ratio"] == {"value": 0.5, "low": 0.48, "high": 0.52}


def test_a_ratio_that_was_not_measured_is_left_empty() -> None:
    page = as_markdown(replace(FOUND, backward_ratio=None, candidate_cost=replace(OWN, backward=None)))
    assert "| compared | 2.00x faster (1.92 to 2.08) |  | | 2.00x more | the same |" in page
