"""Something that candidates are made of: a module class or a function, and what it is to be called with."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from verifykit.identify.catalogue.signatures import Argument, constructor_arguments, function_arguments
from verifykit.targets import Target


@dataclass(frozen=True)
class Factory:
    """A class or function under the ``path`` by which one writes it, ``torch.nn.Linear``.

    ``arguments`` are what it is made with. It takes from ``fewest`` to ``most`` tensors. ``spatial`` is the number of
    spatial dimensions that its name gives, ``None`` where it gives none. ``passed`` is how its inputs are written
    where that has to be said: ``[{inputs}]`` for a list of them.
    """

    path: str
    target: Target
    arguments: tuple[Argument, ...]
    fewest: int
    most: int
    spatial: int | None = None
    passed: str = "{inputs}"

    @property
    def name(self) -> str:
        """Its own name, without the package."""
        return self.path.rpartition(".")[2]

    @property
    def is_class(self) -> bool:
        """Whether it makes modules, rather than being a function of the inputs."""
        return self.target.kind == "class"


def spatial_of(name: str) -> int | None:
    """Return the number of spatial dimensions in a name such as ``Conv2d`` or ``max_pool1d``."""
    found = re.search(r"(?<!\d)([123])[dD](?![a-z])", name)
    return int(found[1]) if found else None


def class_factory(made: type[nn.Module], path: str | None = None, passed: str = "") -> Factory:
    """Return the factory of the module class ``made``: it takes the tensors that its forward takes."""
    path = path or f"{made.__module__}.{made.__qualname__}"
    where, _, name = path.rpartition(".")
    fewest, most = tensors_taken(made.forward)
    target = Target(f"{where}:{name}", made, "class", None)
    return Factory(path, target, tuple(constructor_arguments(made)), fewest, most, spatial_of(name), passed)


def python_factory(function: Callable[..., Any], path: str, shown: Callable[..., Any], tensors: int) -> Factory:
    """Return the factory of a function written in Python that is given ``tensors`` inputs by position."""
    arguments = function_arguments(function, shown)
    where, _, name = path.rpartition(".")
    target = Target(f"{where}:{name}", function, "function", None)
    return Factory(path, target, tuple(arguments[tensors:]), tensors, tensors, spatial_of(name))


def tensors_taken(forward: Callable[..., Any]) -> tuple[int, int]:
    """Return the least and greatest number of positional inputs of the method ``forward``."""
    parameters = list(inspect.signature(forward).parameters.values())[1:]
    placed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    most = 99 if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(placed)
    return sum(p.default is p.empty for p in placed), most
