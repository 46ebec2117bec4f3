"""``verifykit checks``: the catalogue."""

import click


@click.command("checks")
@click.option("--load", multiple=True, metavar="MODULE", help="Also import the checks of this module.")
def command(load: tuple[str, ...]) -> None:
    """List the checks: id, family, severity of what they find, and a summary."""
    from pathlib import Path

    from tabulate import tabulate

    from verifykit.checks.registry import load_checks
    from verifykit.config import load_config

    checks = load_checks([*load_config(Path.cwd()).load, *load])
    rows = [
        (entry.id, entry.family, entry.severity, "yes" if entry.default else "if selected", entry.summary)
        for entry in checks.values()
    ]
    click.echo(tabulate(rows, headers=("check", "family", "severity", "runs", "summary"), tablefmt="simple"))
