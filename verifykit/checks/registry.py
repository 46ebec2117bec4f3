"""The decorator that makes a function a check, and the look-up of checks by id and family."""

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from textwrap import dedent

import verifykit.checks
from verifykit.errors import ConfigError, UserError, did_you_mean, one_line
from verifykit.results import Finding, Severity, Verified
from verifykit.results.identity import Identity
from verifykit.spec.subject import Subject

ENTRY_POINTS = "verifykit.checks"
MANUAL_SECTIONS = ("What", "Why it matters", "Wrong", "Right", "When to ignore")

CheckFunction = Callable[[Subject], Iterator[Finding | Verified | Identity]]


class Skip(Exception):
    """Raised by a check that does not apply to its subject; the message says why."""


class Inconclusive(Exception):
    """Raised by a check that could not decide; the message says why."""


@dataclass(frozen=True)
class Check:
    """A check: it yields a :class:`Finding` for each defect, a :class:`Verified` for each thing it established, and an
    :class:`Identity` for what it recognised its subject as.
    """

    id: str
    family: str
    severity: Severity
    requires: tuple[str, ...]
    function: CheckFunction
    default: bool = True

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self.manual.partition("\n")[0]

    @property
    def manual(self) -> str:
        """Its docstring: a summary, then the sections of ``MANUAL_SECTIONS``."""
        return inspect.cleandoc(self.function.__doc__ or "")

    def section(self, name: str) -> str:
        """Return the text under ``name:`` in the manual, dedented; empty where there is none."""
        headings = "|".join(map(re.escape, MANUAL_SECTIONS))
        found = re.search(
            rf"^{re.escape(name)}:\s*\n(.*?)(?=^(?:{headings}):|\Z)", self.manual, re.MULTILINE | re.DOTALL
        )
        return dedent(found[1]).strip("\n").rstrip() if found else ""


_registered: dict[str, Check] = {}


def check(
    id: str, *, family: str, severity: Severity = "error", requires: Iterable[str] = (), default: bool = True
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated generator function as a check.

    Args:
        id: kebab-case, unique.
        family: kebab-case; a group that can be selected as a whole.
        severity: what its findings are where they do not say otherwise.
        requires: ids of checks that must not have failed for this one to mean anything.
        default: whether it runs where nothing is selected; one that takes long does not.

    Raises:
        ConfigError: the id is no kebab-case, or is taken by another check.
    """

    def register(function: CheckFunction) -> CheckFunction:
        where = f"{function.__module__}.{function.__qualname__}"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
            raise ConfigError(f"{where}: check id {id!r} is not kebab-case, such as 'batch-independence'.")
        taken = _registered.get(id)
        if taken is not None and (taken.function.__module__, taken.function.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise ConfigError(f"{where}: check id {id!r} is taken by {taken.function.__module__}.")
        _registered[id] = Check(id, family, severity, tuple(requires), function, default)
        return function

    return register


def load_checks(extra_modules: Iterable[str] = ()) -> dict[str, Check]:
    """Import the built-in checks, those of installed packages (entry points ``verifykit.checks``) and
    ``extra_modules``; return all that are registered, by id.

    Raises:
        ConfigError: a module or entry point cannot be imported.
    """
    for info in pkgutil.iter_modules(verifykit.checks.__path__):
        importlib.import_module(f"{verifykit.checks.__name__}.{info.name}")
    plugins = [entry.value.partition(":")[0] for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)]
    for module in [*plugins, *extra_modules]:
        try:
            importlib.import_module(module)
        except UserError:
            raise
        except Exception as error:
            raise ConfigError(f"checks cannot be loaded from {module!r}: {one_line(error)}") from error
    return dict(sorted(_registered.items()))


def built_in_check(id: str) -> Check:
    """Return the check of ours that is called so, without importing the others."""
    importlib.import_module(f"{verifykit.checks.__name__}.{id.replace('-', '_')}")
    return _registered[id]


def select_checks(checks: dict[str, Check], select: Iterable[str], ignore: Iterable[str]) -> list[Check]:
    """Return the checks whose id or family is in ``select`` (where it is empty, all that run by default) and not in
    ``ignore``, each after those it requires.

    Raises:
        ConfigError: a name is neither the id nor the family of any check.
    """
    wanted, unwanted = list(select), set(ignore)
    families = {entry.family for entry in checks.values()}
    for name in [*wanted, *unwanted]:
        if name not in checks and name not in families:
            hint = did_you_mean(name, [*checks, *families]) or " `verifykit checks` lists them."
            raise ConfigError(f"there is no check or family {name!r}.{hint}")
    chosen = [
        entry
        for entry in checks.values()
        if ((not wanted and entry.default) or entry.id in wanted or entry.family in wanted)
        and not unwanted & {entry.id, entry.family}
    ]
    return _in_order(chosen)


def _in_order(chosen: list[Check]) -> list[Check]:
    remaining, ordered = list(chosen), list[Check]()
    while remaining:
        waiting = {entry.id for entry in remaining}
        ready = next((entry for entry in remaining if not waiting & set(entry.requires)), None)
        if ready is None:
            raise ConfigError(f"checks require one another in a circle: {', '.join(sorted(waiting))}.")
        ordered.append(ready)
        remaining.remove(ready)
    return ordered
