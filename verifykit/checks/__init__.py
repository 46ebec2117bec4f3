"""The catalogue: one file per check, found by :mod:`verifykit.checks.registry`."""
