"""What the tests of files share: a file read whole, and what became of its rows."""

from typing import Any

from service.importing.outcomes import Line, Refused
from service.importing.reading import Found, Reading, Wish


def read(content: str | bytes, **wish: Any) -> list[Line | Refused]:
    return list(Reading([content.encode() if isinstance(content, str) else content], Wish(**wish)))


def products(content: str | bytes, **wish: Any) -> list[dict[str, Any]]:
    return [row.product for row in read(content, **wish) if isinstance(row, Line)]


def refused(content: str | bytes, **wish: Any) -> list[tuple[int, str | None, str]]:
    """(Line, field, code) of each refused row."""
    return [(row.number, row.field, row.code) for row in read(content, **wish) if isinstance(row, Refused)]


def found(content: str | bytes, **wish: Any) -> Found:
    reading = Reading([content.encode() if isinstance(content, str) else content], Wish(**wish))
    list(reading)
    return reading.found
