"""How the access point reads numbers and addresses. Its ways are C's: nothing is checked, everything has a value."""

import re

_DIGITS = re.compile(r"\s*([+-]?\d+)")
_MAC = re.compile(r"[0-9A-Fa-f]{12}(?:[0-9A-Fa-f]{4})?")
NEVER = 3216153600
"""Seconds since 1970 that stand for: nothing to do, or a tag in deep sleep."""


def atoi(text: str) -> int:
    """Leading digits, else 0 (G5)."""
    found = _DIGITS.match(text)
    return int(found[1]) if found else 0


def byte(text: str) -> int:
    return atoi(text) & 0xFF


def mac_of(text: str) -> str | None:
    """The 16 upper-case digits that the access point knows the tag by; None: malformed (G2, G3)."""
    return text.upper().rjust(16, "0") if _MAC.fullmatch(text) else None
