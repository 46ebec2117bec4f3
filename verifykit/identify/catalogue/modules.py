"""The module classes of ``torch.nn`` that compute something, found by walking it."""

from functools import lru_cache

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from verifykit.identify.catalogue.factory import Factory, class_factory
from verifykit.identify.catalogue.table import CLASSES_OTHERWISE, NO_OPERATIONS


@lru_cache(maxsize=1)
def module_factories() -> tuple[Factory, ...]:
    """Return a factory for every class of ``torch.nn`` with a forward of its own, in alphabetical order, and for those
    of the table. Found once per process.
    """
    found = [
        class_factory(made, f"torch.nn.{name}")
        for name, made in sorted(vars(nn).items())
        if isinstance(made, type) and issubclass(made, nn.Module) and _computes(name, made)
    ]
    otherwise = [class_factory(made, path, passed) for made, (path, passed) in CLASSES_OTHERWISE.items()]
    return (*found, *otherwise)


def _computes(name: str, made: type[nn.Module]) -> bool:
    if name in NO_OPERATIONS or issubclass(made, LazyModuleMixin):
        return False
    return made.forward is not nn.Module.forward
