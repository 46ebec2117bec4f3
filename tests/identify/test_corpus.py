"""Re-implementations are found, near misses are not taken for the real thing; the numbers are those of the report."""

import pytest

from tests.identify import rows, third_party
from tests.identify.answers import Question, answer
from tests.identify.corpus.entries import Entry, Near, Own, Same, entries
from tests.identify.report import FOUND, NAMED, SECONDS, claimed, found, right

EVERY = 12


def _some(kind: type[Same] | type[Near] | type[Own]) -> list[Entry]:
    """Every twelfth: few enough to be asked about in every test run."""
    return entries(kind)[::EVERY]


def _name(entry: Entry) -> str:
    return entry.target.rpartition(":")[2]


def test_there_is_enough_of_everything() -> None:
    assert len(entries(Same)) >= 75
    assert len(entries(Near)) >= 75
    assert len(entries(Own)) >= 15


@pytest.mark.parametrize("entry", _some(Same), ids=_name)
def test_a_reimplementation_is_found(entry: Entry) -> None:
    got = answer(Question(entry.target))
    assert rows.verdict(entry.expected, got) in ("", "relation"), got.text


@pytest.mark.parametrize("entry", _some(Near), ids=_name)
def test_a_near_miss_is_not_claimed_equal(entry: Entry) -> None:
    got = answer(Question(entry.target))
    assert rows.verdict(entry.expected, got) != "claimed equal", got.text


@pytest.mark.slow
def test_reference_modules() -> None:
    assert [row for row in rows.reference() if row.verdict] == []


@pytest.mark.slow
def test_all_reimplementations() -> None:
    asked = rows.same()
    assert found(asked) >= FOUND
    assert sum(row.seconds <= SECONDS for row in asked) >= 0.95 * len(asked)


@pytest.mark.slow
def test_all_near_misses() -> None:
    asked = rows.near()
    assert claimed(asked) == 0
    assert right(asked) >= NAMED


@pytest.mark.slow
def test_own_layers() -> None:
    assert claimed(rows.own()) == 0


@pytest.mark.slow
@pytest.mark.skipif(not third_party.PYTHON.exists(), reason="`make test-zoo` makes the environment of their packages")
def test_third_party_classes() -> None:
    claims = third_party.claims()
    assert len(claims) >= 60
    assert [claim for claim in claims if claim.is_false] == []
