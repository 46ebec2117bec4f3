"""Where the time of a run went: read off its events, as they come."""

import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from verifykit.events import AuditFinished, AuditStarted, CheckStarted, Event, ProfileStarted
from verifykit.reporting import units
from verifykit.reporting.escape import visible


class Durations:
    """Times each part of each audit: building and feeding the target, every check, the profile."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, str, float]] = []
        self._target = self._part = ""
        self._since = 0.0

    def handle(self, event: Event) -> None:
        """Note the time at ``event``, which ends one part and begins the next."""
        match event:
            case AuditStarted(target=target):
                self._target = target
                self._begin("building and feeding it")
            case CheckStarted(check=check):
                self._begin(check)
            case ProfileStarted():
                self._begin("profile")
            case AuditFinished():
                self._begin("")

    def print(self, console: Console) -> None:
        """Print the parts of all audits, the longest first, each with its share of the whole."""
        total = sum(seconds for _, _, seconds in self._parts)
        several = len({target for target, _, _ in self._parts}) > 1
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title="Durations", title_justify="left")
        for name in ("part", "seconds", "share"):
            table.add_column(name, justify="left" if name == "part" else "right", no_wrap=True)
        for target, part, seconds in sorted(self._parts, key=lambda entry: -entry[2]):
            name = f"{visible(target)}: {part}" if several else part
            table.add_row(Text(name), units.seconds(seconds), f"{seconds / total:.0%}" if total else "")
        table.add_row(Text("all"), units.seconds(total), "")
        console.print(table)

    def _begin(self, part: str) -> None:
        now = time.monotonic()
        if self._part:
            self._parts.append((self._target, self._part, now - self._since))
        self._part, self._since = part, now
