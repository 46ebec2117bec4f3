"""``verifykit explain CHECK``: the manual of one check."""

import click


@click.command("explain")
@click.argument("check")
def command(check: str) -> None:
    """Print what CHECK looks for, why it matters, a wrong and a right example, and when to ignore it."""
    from pathlib import Path

    from verifykit.checks.registry import load_checks
    from verifykit.config import load_config
    from verifykit.errors import ConfigError, did_you_mean

    checks = load_checks(load_config(Path.cwd()).load)
    if check not in checks:
        hint = did_you_mean(check, checks) or " `verifykit checks` lists them."
        raise ConfigError(f"there is no check {check!r}.{hint}")
    entry = checks[check]
    click.echo(f"{entry.id} (family {entry.family}, {entry.severity})\n\n{entry.manual}")
