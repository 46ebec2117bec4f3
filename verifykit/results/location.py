"""A place in somebody's source, as plain data."""

import msgspec


class Location(msgspec.Struct, frozen=True):
    """A place in somebody's source: ``line`` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
