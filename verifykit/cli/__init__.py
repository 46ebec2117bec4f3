"""The console command ``verifykit``: one file per subcommand, each importing what it needs when it is called."""

import os
import sys
from importlib import import_module

import click

from verifykit import __version__
from verifykit.errors import UserError, did_you_mean

# Short help stands here so that `verifykit --help` imports no subcommand.
COMMANDS = {
    "audit": "Verify and profile targets; report what is wrong, where, and how to reproduce it.",
    "profile": "Measure what targets cost: time, memory, work, against a reference and the machine's limits; growth.",
    "compare": "Hold a candidate against the reference that it is to replace.",
    "spec": "Print how a target is built and fed, as TOML to pin in pyproject.",
    "checks": "List the catalogue of checks.",
    "explain": "Print the manual of one check.",
}

EXIT_CODES = """\b
Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  usage, configuration or target error
  3  nothing could be verified, or a check crashed
"""


class LazyGroup(click.Group):
    """Imports a subcommand's file only when that subcommand is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"verifykit.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f" There are {', '.join(COMMANDS)}."
            raise click.UsageError(f"no such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="verifykit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error instead of one line.")
@click.pass_context
def group(ctx: click.Context, debug: bool) -> None:
    """Verify and profile custom PyTorch modules.

    \b
    Example:
      verifykit audit mymodule:MyLayer
      verifykit audit mymodule:MyLayer --reference torch.nn:Linear --format markdown --output report.md
    """


def main() -> None:
    """Run the command line; an error that the user can mend ends it with one line and exit code 2."""
    # What torch's C++ code logs to standard error, such as blocks that its profiler did not see being allocated, would
    # stand between our lines; it is decided when torch is imported.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        # --debug is understood wherever it stands.
        arguments = [word for word in sys.argv[1:] if word != "--debug"]
        sys.exit(group.main(arguments, prog_name="verifykit", standalone_mode=False))
    except UserError as error:
        if "--debug" in sys.argv:
            raise
        _fail(str(error))
    except click.ClickException as error:
        _fail(error.format_message())
    except click.Abort:
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"verifykit: {message}", err=True)
    sys.exit(2)
