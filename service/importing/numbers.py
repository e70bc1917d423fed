"""Numbers as people and programs write them, to digits with a decimal point.

`1.234,50 €` can be read in one way only, `1,234` in two. Which of them a column means is told by its other numbers.
"""

# ruff: noqa: RUF001 - currencies of every script

import enum
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from service.importing.outcomes import Fault, RowError

Decimal = Literal[".", ","]

# Of what stands beside a number. Signs that several currencies share, such as $ and ¥, say nothing.
_SIGNS = {"€": "EUR", "£": "GBP", "₪": "ILS", "zł": "PLN", "Kč": "CZK", "₴": "UAH", "₹": "INR", "₺": "TRY", "₩": "KRW"}
_WORDS = r"kn|kr\.?|Fr\.?|Ft|lei|лв\.?|грн\.?|руб\.?|р\.|din\.?|R\$|RM|S/\.?|,-|\.-"
_BESIDE = rf"(?:[A-Z]{{3}}|[$€£¥₪₽₴₹₺₩₫₦₱฿]|zł|Kč|{_WORDS})"
_NUMBER = re.compile(
    rf"(?P<minus>[-\u2212]?)\s*(?P<before>{_BESIDE})?\s*(?P<sign>[-\u2212+]?)\s*(?P<digits>\d[\d.,'’\s]*|[.,]\d+)"
    rf"\s*(?P<after>{_BESIDE})?"
)
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]{1,2})?")
_BLANKS = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_GROUPED = {
    mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{2,3}})*{re.escape(mark)}\d{{3}}|\d+") for mark in (".", ",")
}
MAX_TEXT = 60
"""Characters of a number with all that is around it."""


class Says(enum.Enum):
    """What one number tells of the sign before its fraction."""

    POINT = "."
    COMMA = ","
    NOTHING = ""
    EITHER = "?"


def says(text: str) -> Says:
    digits = _digits(text)
    marks = "" if digits is None else "".join(mark for mark in digits if mark in ".,")
    if digits is None or not marks:
        return Says.NOTHING
    if len(set(marks)) > 1:
        return Says(marks[-1])
    if len(marks) > 1:
        return Says.COMMA if marks[0] == "." else Says.POINT  # what comes twice groups thousands
    whole, _, fraction = digits.partition(marks)
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):  # noqa: PLR2004 - a group of thousands
        return Says.EITHER
    return Says(marks)


def decided(texts: Iterable[str]) -> Decimal | None:
    """What the numbers of a column agree on, by nine in ten; None where they say nothing."""
    votes = {Says.POINT: 0, Says.COMMA: 0}
    for text in texts:
        vote = says(text)
        if vote in votes:
            votes[vote] += 1
    points, commas = votes[Says.POINT], votes[Says.COMMA]
    if points > 9 * commas:
        return "."
    return "," if commas > 9 * points else None


@lru_cache(maxsize=16384)  # a store has some thousand different prices
def plain(text: str, decimal: Decimal | None, field: str) -> tuple[str, str | None]:
    """(Digits with a point, currency code if one is named). What is no number stays as it is, for the feed to refuse.

    Raises:
        RowError: `1,234` or `1.234` where nobody knows which sign stands before a fraction.
    """
    if _PLAIN.fullmatch(text):
        return text, None
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if found is None:
        return text.strip(), None
    meant = says(text)
    if meant is Says.EITHER and decimal is None:
        detail = f"{text.strip()} may be a fraction or thousands; say which with decimal, as '.' or ','."
        raise RowError(field, Fault.AMBIGUOUS_NUMBER, detail)
    mark = decimal if meant is Says.EITHER else meant.value
    whole, fraction = _parted(_BLANKS.sub("", found["digits"]).rstrip(), mark or ".")
    if whole is None:
        return text.strip(), None
    sign = "-" if found["minus"] or found["sign"] in {"-", "\u2212"} else ""
    return f"{sign}{whole or '0'}{'.' if fraction else ''}{fraction}", _currency(found)


def _parted(digits: str, mark: str) -> tuple[str | None, str]:
    """Whole and fraction; None where the marks of thousands do not stand as they do in a number."""
    whole, _, fraction = digits.rpartition(mark) if mark in digits else (digits, "", "")
    other = "," if mark == "." else "."
    if (whole and not _GROUPED[other].fullmatch(whole)) or not (fraction.isdigit() or not fraction):
        return None, ""
    return whole.replace(other, ""), fraction


def _currency(found: re.Match[str]) -> str | None:
    for beside in (found["before"], found["after"]):
        if beside and beside in _SIGNS:
            return _SIGNS[beside]
        if beside and re.fullmatch("[A-Z]{3}", beside):
            return beside
    return None


def _digits(text: str) -> str | None:
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    return None if found is None else _BLANKS.sub("", found["digits"]).rstrip()
