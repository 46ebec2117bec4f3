"""Whether what is named exists: ``torch.nn.Linear(6, 4)`` can be written so, ``torch.nn.SiLU(beta=2.0)`` cannot."""

import ast
import importlib
import inspect


def exists(name: str) -> bool:
    """Whether ``name``, where it is one of torch's, is a call that its signature takes."""
    if not name.startswith("torch."):
        return True
    try:
        call = ast.parse(name, mode="eval").body
        while isinstance(call, ast.Call) and isinstance(call.func, ast.Call):  # Module(arguments)(inputs)
            call = call.func
        return isinstance(call, ast.Call) and _takes(call)
    except (SyntaxError, AttributeError, ImportError):
        return False


def _takes(call: ast.Call) -> bool:
    place, _, attribute = ast.unparse(call.func).rpartition(".")
    made = getattr(importlib.import_module(place), attribute)
    try:
        signature = inspect.signature(made)
    except (TypeError, ValueError):  # built into torch's C code
        return True
    try:
        signature.bind(*call.args, **{str(keyword.arg): None for keyword in call.keywords})
    except TypeError:
        return False
    return True
