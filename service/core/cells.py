"""Text in the cells of a CSV: what a spreadsheet would take for a formula is marked as text, and read back as it was.

A spreadsheet executes a cell that begins with one of these characters (OWASP, CSV injection); an apostrophe before it
says that it is text. A plain number, such as a stock of -2, is none of these.
"""

import re

_FORMULA = "=+-@\t\r＝＋－＠"  # noqa: RUF001 - the wide ones are executed too
_MARKED = (*_FORMULA, "'")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")


def guarded(text: str) -> str:
    """The text as no spreadsheet executes it; `unguarded` makes of every result what it was made of."""
    if text.startswith(tuple(_FORMULA)):
        return text if _NUMBER.fullmatch(text) else f"'{text}"
    return f"'{text}" if text.startswith("'") and text[1:].startswith(_MARKED) else text


def unguarded(text: str) -> str:
    """A cell without the mark, where it has one."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_MARKED) else text
