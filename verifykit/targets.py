"""From what the user typed, ``module:attr`` or ``path/to/file.py:attr``, to a live object and where it is defined."""

import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from verifykit.errors import TargetError, did_you_mean, one_line
from verifykit.results import Location

Kind = Literal["class", "instance", "factory", "function", "autograd.Function"]


@dataclass(frozen=True)
class Target:
    """A thing to audit: ``name`` as the user wrote it, ``kind`` says how a module is made of ``obj``."""

    name: str
    obj: Any
    kind: Kind
    location: Location | None

    @property
    def label(self) -> str:
        """The last part of the name: ``Layer`` for ``pkg.mod:Outer.Layer``."""
        return self.name.rpartition(":")[2].rpartition(".")[2]


def resolve(name: str) -> Target:
    """Import what ``name`` says and classify it.

    Raises:
        TargetError: the name is malformed, nothing is there, importing it fails, or it is neither a module nor a
            function.
    """
    where, colon, attribute = name.rpartition(":")
    if not (colon and where and attribute):
        raise TargetError(malformed(name))
    module = load(where)
    obj: Any = module
    for depth, part in enumerate(parts := attribute.split(".")):
        try:
            obj = getattr(obj, part)
        except AttributeError:
            holder = ".".join([where, *parts[:depth]])
            raise TargetError(f"{holder!r} has no attribute {part!r}.{did_you_mean(part, dir(obj))}") from None
    return Target(name, obj, _classify(name, obj), locate(obj))


def locate(obj: Any) -> Location | None:
    """Return where the class or function behind ``obj`` is defined, or ``None`` for code without Python source."""
    thing = obj if isinstance(obj, type) or inspect.isroutine(obj) else type(obj)
    try:
        file = inspect.getsourcefile(thing)
        line = inspect.getsourcelines(thing)[1]
    except (OSError, TypeError):
        return None
    return Location(display_path(file), max(line, 1)) if file else None


def display_path(file: str) -> str:
    """Return ``file`` relative to the working directory where it lies below it, else unchanged."""
    try:
        return str(Path(file).resolve().relative_to(Path.cwd()))
    except ValueError:
        return file


def load(where: str) -> ModuleType:
    """Import a module by its dotted name, or from its ``.py`` file.

    Raises:
        TargetError: there is none, or importing it fails.
    """
    return _load_file(where) if where.endswith(".py") else _load_module(where)


def malformed(name: str) -> str:
    """Return what is wrong with a target of another form, with the likely one."""
    head, _, tail = name.rpartition(".")
    hint = f" Did you mean '{head}:{tail}'?" if head and tail[:1].isupper() else ""
    return f"{name!r} is not a target: expected 'module:attribute' or 'path/to/file.py:attribute'.{hint}"


def _load_module(name: str) -> ModuleType:
    _search_path_first(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            parent, dot, _ = error.name.rpartition(".")
            hint = did_you_mean(error.name, (f"{parent}{dot}{sibling}" for sibling in _siblings(parent)))
            raise TargetError(f"there is no module {error.name!r}.{hint}") from error
        raise _import_failure(name, error) from error
    except BaseException as error:
        raise _import_failure(name, error) from error


def _load_file(name: str) -> ModuleType:
    path = Path(name).resolve()
    if not path.is_file():
        nearby = [str(Path(name).with_name(p.name)) for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise TargetError(f"there is no file {name!r}.{did_you_mean(name, nearby)}")
    root, dotted = path.parent, [path.stem]
    while (root / "__init__.py").is_file():  # a file inside a package is imported as part of it
        dotted.insert(0, root.name)
        root = root.parent
    if len(dotted) > 1:
        _search_path_first(root)
        return _load_module(".".join(dotted).removesuffix(".__init__"))
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    _search_path_first(root)
    # A plain file gets its own name, so that classes in it can be pickled, unless that name is taken.
    module_name = path.stem if loaded is None and importlib.util.find_spec(path.stem) is None else f"_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{name!r} cannot be imported as Python source.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        raise _import_failure(name, error) from error
    return module


def _import_failure(name: str, error: BaseException) -> BaseException:
    if isinstance(error, KeyboardInterrupt):
        return error
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    own = [f for f in frames if f.filename != __file__]
    where = f" at {display_path(own[-1].filename)}:{own[-1].lineno}" if own else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f" at {display_path(error.filename)}:{error.lineno}"
    return TargetError(f"importing {name!r} failed{where}: {one_line(error)}")


def _search_path_first(folder: Path) -> None:
    if os.fspath(folder) not in sys.path:
        sys.path.insert(0, os.fspath(folder))


def _siblings(parent: str) -> Iterator[str]:
    path = sys.modules[parent].__path__ if parent in sys.modules else None
    return (info.name for info in pkgutil.iter_modules(path))


def _classify(name: str, obj: Any) -> Kind:
    import torch

    if isinstance(obj, type):
        if issubclass(obj, torch.nn.Module):
            return "class"
        if issubclass(obj, torch.autograd.Function):
            return "autograd.Function"
    elif isinstance(obj, torch.nn.Module):
        return "instance"
    elif callable(obj) and not isinstance(obj, ModuleType):
        return "factory" if _returns_module(obj) else "function"
    raise TargetError(
        f"{name!r} is {_describe(obj)}: expected an nn.Module class or instance, a function, a factory of modules, "
        f"or an autograd.Function.{_modules_inside(obj)}"
    )


def _describe(obj: Any) -> str:
    if isinstance(obj, type):
        return f"the class {obj.__qualname__}, which is no nn.Module"
    if isinstance(obj, ModuleType):
        return f"the Python module {obj.__name__}"
    return f"a value of type {type(obj).__name__}"


def _modules_inside(obj: Any) -> str:
    import torch

    if not isinstance(obj, ModuleType):
        return ""
    names = [n for n, v in vars(obj).items() if isinstance(v, type) and issubclass(v, torch.nn.Module)]
    return f" In it: {', '.join(names[:5])}." if names else ""


def _returns_module(function: Any) -> bool:
    """A factory says so in its return annotation, or takes nothing and returns a module when called."""
    import torch

    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception:
        return False
    returned = signature.return_annotation
    if returned is not signature.empty and isinstance(returned, type):
        return issubclass(returned, torch.nn.Module)
    if any(
        p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in signature.parameters.values()
    ):
        return False
    if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return False
    try:
        return isinstance(function(), torch.nn.Module)
    except Exception:
        return False
