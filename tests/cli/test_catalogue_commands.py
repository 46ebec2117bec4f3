import subprocess
from collections.abc import Callable

from verifykit.checks.registry import load_checks

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_checks_lists_the_catalogue(verifykit: Run) -> None:
    done = verifykit("checks")
    assert done.returncode == 0
    for check in load_checks().values():
        assert check.id in done.stdout
        assert check.summary in done.stdout


def test_explain_prints_the_manual(verifykit: Run) -> None:
    done = verifykit("explain", "shape-contract")
    assert done.returncode == 0
    assert load_checks()["shape-contract"].manual in done.stdout


def test_explain_of_something_else(verifykit: Run) -> None:
    done = verifykit("explain", "shape-contrast")
    assert done.returncode == 2
    assert "Did you mean 'shape-contract'?" in done.stderr


def test_a_command_that_is_not_there(verifykit: Run) -> None:
    done = verifykit("adit", "x:y")
    assert (done.returncode, done.stderr) == (2, "verifykit: no such command 'adit'. Did you mean 'audit'?\n")


def test_help_shows_commands_and_exit_codes(verifykit: Run) -> None:
    done = verifykit("--help")
    assert done.returncode == 0
    for piece in ("audit", "checks", "explain", "Exit codes", "nothing could be verified"):
        assert piece in done.stdout
