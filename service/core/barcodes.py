"""Barcodes are opaque: 1 to 64 visible ASCII characters, zeros kept, none refused for length or check digit."""

import struct
from collections.abc import Sequence

from service.core.problems import Code, RefusedError, quoted, wrong_type
from service.core.text import has_control

MAX_BARCODE = 64
MAX_ALTERNATES = 32
_BLANKS = " \u00a0"

# The last digit of the sum that the ASCII codes of the digits add, by the length of a GTIN.
_ASCII_SHARE = {8: 8, 12: 2, 13: 0, 14: 4}


def trimmed(barcode: str) -> str:
    return barcode.strip(_BLANKS)


def parse_barcode(value: object) -> str:
    """The trimmed barcode.

    Raises:
        RefusedError: not a string, blank, over 64 characters, or with anything but visible ASCII in it.
    """
    if type(value) is not str:
        if value is None:
            raise RefusedError(Code.REQUIRED, "A product needs a barcode.")
        raise RefusedError(Code.WRONG_TYPE, 'Send the barcode as a string, such as "0012345678905": zeros get lost.')
    barcode = trimmed(value)
    if not barcode:
        raise RefusedError(Code.REQUIRED, "A product needs a barcode.")
    if len(barcode) > MAX_BARCODE:
        raise RefusedError(Code.TOO_LONG, f"A barcode has at most {MAX_BARCODE} characters; this has {len(barcode)}.")
    if not (barcode.isascii() and barcode.isprintable() and " " not in barcode):
        raise _not_visible(barcode)
    return barcode


def are_barcodes(values: Sequence[str]) -> bool:
    """Whether every one of these is a barcode already, with nothing to trim."""
    together = "".join(values)
    return (
        together.isascii()
        and together.isprintable()
        and " " not in together
        and all(values)
        and len(max(values, key=len)) <= MAX_BARCODE
    )


def _not_visible(barcode: str) -> RefusedError:
    if has_control(barcode):
        return RefusedError(Code.CONTROL_CHARACTERS, f"The barcode {quoted(barcode)} has control characters in it.")
    return RefusedError(Code.NOT_ASCII, f"The barcode {quoted(barcode)} has blanks or characters beyond ASCII in it.")


def has_wrong_check_digit(barcode: str) -> bool:
    """Whether this has the length of a GTIN and a check digit that does not fit (GS1 General Specifications, 7.9)."""
    share = _ASCII_SHARE.get(len(barcode))
    if share is None or not barcode.isdigit():
        return False
    codes = barcode.encode()
    return (sum(codes[::-2]) + 3 * sum(codes[-2::-2]) - share) % 10 != 0


def have_right_check_digits(codes: Sequence[str]) -> bool:
    """Whether none of these barcodes has a wrong one; may say no where it is so.

    Those of one length are summed together: digit by digit, each barcode in two bytes of one large integer.
    """
    by_length: dict[int, list[str]] = {}
    for code in codes:
        by_length.setdefault(len(code), []).append(code)
    return all(_are_right(length, by_length[length]) for length in by_length.keys() & _ASCII_SHARE)


def _are_right(length: int, codes: Sequence[str]) -> bool:
    together = "".join(codes).encode()
    if not together.isdigit():
        return not any(map(has_wrong_check_digit, codes))
    sums, lanes = 0, bytearray(2 * len(codes))
    for place in range(length):
        lanes[::2] = together[place::length]
        sums += int.from_bytes(lanes, "little") * (1 if (length - place) % 2 else 3)
    totals = set(struct.unpack(f"<{len(codes)}H", sums.to_bytes(len(lanes), "little")))
    return {(total - _ASCII_SHARE[length]) % 10 for total in totals} == {0}


def parse_alternates(value: object) -> tuple[str, ...] | None:
    """Further barcodes of the same product, each once and in order; none is None. At most 32."""
    if type(value) is not list:
        raise wrong_type("a list of barcodes", value)
    if len(value) > MAX_ALTERNATES:
        raise RefusedError(Code.TOO_LONG, f"A product has at most {MAX_ALTERNATES} further barcodes.")
    return tuple(dict.fromkeys(parse_barcode(barcode) for barcode in value)) or None
