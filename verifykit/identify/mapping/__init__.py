"""How the state of a candidate is made from that of the target."""

from verifykit.identify.mapping.arrangements import arrangements

__all__ = ["arrangements"]
