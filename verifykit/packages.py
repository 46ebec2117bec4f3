"""From a package, module or file as target to every public concrete module class in it."""

import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

from verifykit.errors import TargetError
from verifykit.targets import load, malformed

# Parts of a package that are scripts or tests rather than what it offers.
NOT_OFFERED = re.compile(r"_.*|tests?|conftest|setup|examples?|benchmarks?|scripts?")


def expanded(name: str) -> tuple[list[str], list[TargetError]]:
    """Return the targets that ``name`` stands for, and why parts of a package could not be imported.

    A target with a colon stands for itself; ``pkg``, ``pkg.*`` and ``file.py`` for every public class in it that is a
    concrete ``nn.Module`` defined there, by the shortest name under which it is offered.

    Raises:
        TargetError: there is no such package, importing it fails, or no such class is in it.
    """
    where = name.removesuffix(".*")
    if ":" in name or not where:
        return [name], []
    if not (where.endswith(".py") or re.fullmatch(r"\w+(\.\w+)*", where)):
        raise TargetError(malformed(name))
    try:
        root = load(where)
    except TargetError as error:
        if "there is no module" in str(error) and "." in where:
            raise TargetError(malformed(name)) from None
        raise
    failures: list[TargetError] = []
    modules = {where: root}
    for found in _submodules(root):
        try:
            modules[found] = load(found)
        except TargetError as error:
            failures.append(error)
    offered: dict[type, str] = {}
    for module_name, module in sorted(modules.items(), key=lambda item: (item[0].count("."), item[0])):
        for attribute, value in sorted(vars(module).items()):
            if _is_concrete(value, root) and attribute == value.__name__:
                offered.setdefault(value, f"{module_name}:{attribute}")
    if not offered and not failures:
        raise TargetError(f"{name!r} holds no public class that is an nn.Module with a forward.")
    return sorted(offered.values()), failures


def _submodules(root: ModuleType) -> Iterator[str]:
    """Names of all public modules below a package, found without importing them."""
    for info in pkgutil.iter_modules(getattr(root, "__path__", ()), f"{root.__name__}."):
        if not NOT_OFFERED.fullmatch(info.name.rpartition(".")[2]):
            yield info.name
            if info.ispkg:
                yield from _below(info.name)


def _below(name: str) -> Iterator[str]:
    try:
        yield from _submodules(load(name))
    except TargetError:
        return  # reported where it is imported for its classes


def _is_concrete(value: object, root: ModuleType) -> bool:
    from torch import nn

    return (
        isinstance(value, type)
        and issubclass(value, nn.Module)
        and not value.__name__.startswith("_")
        and f"{value.__module__}.".startswith(f"{root.__name__}.")
        and value.forward is not nn.Module.forward
        and not inspect.isabstract(value)
    )
