"""verifykit: verification and profiling of custom PyTorch modules.

The public API is loaded on first use, so that ``import verifykit`` stays cheap and never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifykit.checks.registry import check
    from verifykit.gradients.gradcheck import GradcheckError, gradcheck
    from verifykit.results import Finding, Verified
    from verifykit.spec.subject import Subject

__version__ = "0.1.0"

__all__ = ["Finding", "GradcheckError", "Subject", "Verified", "__version__", "check", "gradcheck"]

_HOME = {
    "Finding": "verifykit.results",
    "GradcheckError": "verifykit.gradients.gradcheck",
    "Subject": "verifykit.spec.subject",
    "Verified": "verifykit.results",
    "check": "verifykit.checks.registry",
    "gradcheck": "verifykit.gradients.gradcheck",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'verifykit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
