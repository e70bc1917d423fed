"""A product's barcode as bars, and text as a QR code: whole modules, quiet zones included.

EAN-8, EAN-13 and UPC-A (which is EAN-13 with a leading zero) where length and check digit agree; Code 128 for
everything else, so that a scanner always reads exactly the store's barcode.
"""

from functools import lru_cache

import msgspec
import segno
from barcode.charsets.code128 import START_CODES
from barcode.codex import Code128
from barcode.ean import EAN8, EAN13

BAR, GAP = "1", "0"


class Bars(msgspec.Struct, frozen=True):
    """One line of modules, dark ones `1`, quiet zones included (GS1 General Specifications, 5.2 and 5.4)."""

    modules: str
    digits: str


@lru_cache(maxsize=8192)
def bars(barcode: str) -> Bars | None:
    """None where no symbol can carry it: empty, or a character that is not visible ASCII."""
    if not (barcode and barcode.isascii() and barcode.isprintable()):
        return None
    pattern, left, right = _pattern(barcode)
    return Bars(GAP * left + pattern + GAP * right, barcode)


def _pattern(barcode: str) -> tuple[str, int, int]:
    if barcode.isdigit() and _check_digit_holds(barcode):
        if len(barcode) == len("EAN-8---"):
            return EAN8(barcode).build()[0], 7, 7
        if len(barcode) in (12, 13):
            return EAN13(barcode.zfill(13)).build()[0], 11, 7
    return _Code128(barcode).build()[0], 10, 10


class _Code128(Code128):  # type: ignore[misc] # the library says no types
    """With the digits 99 at the start, which the library (0.16) takes for a change to set C, and drops."""

    def _try_to_optimize(self, encoded: list[int]) -> list[int]:
        if encoded[:2] == _DIGITS_99:
            return encoded
        optimized: list[int] = super()._try_to_optimize(encoded)
        return optimized


_DIGITS_99 = [START_CODES["C"], 99]


def _check_digit_holds(digits: str) -> bool:
    """The GS1 check digit: weights 3 and 1 in turn, from the right."""
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits))) % 10 == 0


@lru_cache(maxsize=4096)
def qr(text: str) -> tuple[bytes, ...] | None:
    """Rows of modules, dark ones 1, with the quiet zone of 4 (ISO/IEC 18004); None for what no code can hold."""
    try:
        code = segno.make_qr(text, error="m")
    except (segno.DataOverflowError, ValueError):
        return None
    return tuple(bytes(row) for row in code.matrix_iter(border=4))
