"""Rules that every check of the catalogue keeps."""

import ast
import re
from pathlib import Path

import pytest

from tests.corpus.entries import entries
from verifykit.checks.registry import MANUAL_SECTIONS, Check, load_checks

CHECKS = load_checks()
PLANTED = entries()


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_every_check_has_a_complete_manual(check: Check) -> None:
    assert re.fullmatch(r"[A-Z].{10,110}\.", check.summary)
    for section in MANUAL_SECTIONS:
        assert check.section(section), f"{check.id} lacks the section {section}"
    for section in ("Wrong", "Right"):
        ast.parse(check.section(section))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_every_check_stands_in_its_own_file_and_has_its_own_tests(check: Check) -> None:
    file_name = check.id.replace("-", "_")
    assert check.function.__module__ == f"verifykit.checks.{file_name}"
    source = (Path(__file__).parent / "checks" / f"test_{file_name}.py").read_text()
    planted = sum(entry.caught_by == check.id for entry in PLANTED)
    assert source.count("# bug:") + planted >= 2, "at least two planted bugs, marked here or in the corpus"
    assert source.count("# correct:") + planted >= 2, "at least two correct modules, marked here or in the corpus"


def test_the_readme_names_every_check_in_its_family() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    for entry in CHECKS.values():
        (row,) = (line for line in readme.splitlines() if line.startswith(f"| `{entry.family}` |"))
        assert f"`{entry.id}`" in row


def test_a_family_is_never_mistaken_for_a_check() -> None:
    assert not {check.family for check in CHECKS.values()} & CHECKS.keys()


def test_what_a_check_requires_exists() -> None:
    for check in CHECKS.values():
        assert set(check.requires) <= CHECKS.keys()
