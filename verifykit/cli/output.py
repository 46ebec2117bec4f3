"""Where the results of a run go: which files in which formats, what lies beside them, and the terminal."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import click
import msgspec

from verifykit.errors import UserError, did_you_mean
from verifykit.reporting import FILE_FORMATS, render
from verifykit.reporting.writing import check_writable, file_names, report_paths, write_atomically
from verifykit.results import Audit, Report, Severity, exit_code


@dataclass(frozen=True)
class Output:
    """``formats`` in the order given; ``files`` maps each path to its format and to the target that it is about,
    ``None`` for all; ``beside`` says where what goes with the Markdown report of a target lies, without endings.
    """

    formats: list[str]
    files: dict[Path, tuple[str, str | None]]
    beside: dict[str, Path]

    @property
    def has_terminal(self) -> bool:
        """Whether people read standard output."""
        return "terminal" in self.formats

    @property
    def traces(self) -> dict[str, Path]:
        """Where the trace of each target goes; empty if no Markdown report is written."""
        return {name: path.with_name(f"{path.name}.trace.json.gz") for name, path in self.beside.items()}

    def publish(self, report: Report, command_for: Callable[[str], str]) -> None:
        """Write every file, charts beside them, and print the rest; ``command_for`` repeats the run of one target."""
        audits = [_with_charts(done, self.beside.get(done.target)) for done in report.audits]
        report = msgspec.structs.replace(report, audits=audits)
        for path, (format, target) in self.files.items():
            part = report
            if target is not None:
                own = [audit for audit in report.audits if audit.target == target]
                part = msgspec.structs.replace(report, audits=own, command=command_for(target))
            write_atomically(path, render(part, format))
        for format in self.formats:
            if format == "terminal":
                from rich.console import Console

                from verifykit.reporting.terminal import print_report

                print_report(report, Console(highlight=False))
            elif not self.files:
                click.echo(render(report, format), nl=False)


def finish(report: Report, fail_on: Severity | Literal["never"]) -> NoReturn:
    """Say on standard error why a target could not be looked at, and exit as contracted."""
    for done in report.audits:
        if done.error is not None:
            click.echo(f"verifykit: {done.error.message}", err=True)
    sys.exit(exit_code(report, fail_on))


def output_for(names: Sequence[str], formats: Sequence[str], output: str | None) -> Output:
    """Return where the results for the targets called ``names`` go, known to be writable.

    Raises:
        UserError: an unknown format, a path without a format that is written to files, or one that cannot be written.
    """
    chosen = _known(formats)
    files = _files(names, chosen, output)
    return Output(chosen, files, _beside(names, files))


def _beside(names: Sequence[str], files: Mapping[Path, tuple[str, str | None]]) -> dict[str, Path]:
    """Beside a page of one target, under the name of the page; beside a page of many, under those of the targets."""
    pages = [path for path, (format, _) in files.items() if format == "markdown"]
    if len(pages) == len(names):
        return {name: page.with_suffix("") for name, page in zip(names, pages, strict=True)}
    return {name: page.parent / stem for page in pages for name, stem in file_names(names).items()}


def _files(names: Sequence[str], chosen: Sequence[str], output: str | None) -> dict[Path, tuple[str, str | None]]:
    endings = {name: FILE_FORMATS[name] for name in chosen if name in FILE_FORMATS}
    if output is None:
        return {}
    if not endings:
        raise UserError(
            f"--output {output!r} needs a format that is written to a file: --format {' or '.join(FILE_FORMATS)}."
        )
    files = report_paths(names, endings, output)
    for path in files:
        check_writable(path)
    return files


def _known(given: Sequence[str]) -> list[str]:
    known = ("terminal", *FILE_FORMATS)
    for name in given:
        if name not in known:
            raise UserError(f"unknown format {name!r}: expected one of {', '.join(known)}.{did_you_mean(name, known)}")
    return list(dict.fromkeys(given)) or ["terminal"]


def _with_charts(audit: Audit, beside: Path | None) -> Audit:
    """``audit`` naming its charts, which are written beside its Markdown report if there is one."""
    from verifykit.reporting.charts import charts_of, with_chart_names

    if beside is None:
        return audit
    names = {}
    for suffix, picture in charts_of(audit).items():
        path = beside.with_name(f"{beside.name}.{suffix}.svg")
        write_atomically(path, picture)
        names[suffix] = path.name
    return with_chart_names(audit, names)
