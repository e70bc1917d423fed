"""Exact prices: integers of 1/10,000 of the currency unit, never through float."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from service.core.problems import Code, RefusedError, quoted, wrong_type

UNITS = 10_000
SCALE = 4
MAX_PRICE = 99_999_999_900
"""9,999,999.99, in 1/10,000."""
MAX_WHOLE_DIGITS = 7
MAX_TEXT = 40
"""Characters of a price as text, so that nothing large is ever kept in the cache of prices."""

_PRICE = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_HOW = "Write digits with a decimal point, such as 46.50."

# ISO 4217, minor units; every other currency has 2.
_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip
_STEPS = (10_000, 1000, 100, 10, 1)


class Number(str):
    """A JSON number with a fraction or exponent, as it was written; the row decoder's `float_hook`."""

    __slots__ = ()


def parse_price(value: object, currency: str) -> int:
    """A price from a decoded JSON value: an integer, a Number, text, or `{amount, currency}`.

    Raises:
        RefusedError: negative, not plain digits, over 9,999,999.99, over 4 decimals, or in another currency.
    """
    if isinstance(value, str):
        return units(value)
    if type(value) is int:
        return _whole_units(value)
    if isinstance(value, Mapping):
        return _amount(value, currency)
    raise wrong_type("a price as a number or text", value)


def _whole_units(amount: int) -> int:
    if amount < 0:
        raise _negative()
    if amount * UNITS > MAX_PRICE:
        raise _too_large()
    return amount * UNITS


def _amount(money: Mapping[str, Any], currency: str) -> int:
    if "amount" not in money or money.keys() - {"amount", "currency"}:
        raise RefusedError(Code.NOT_A_PRICE, "A price as an object has an amount and a currency, and nothing else.")
    check_currency(money.get("currency", currency), currency)
    amount = money["amount"]
    if not isinstance(amount, str | int):
        raise wrong_type("the amount as a number or text", amount)
    return parse_price(amount, currency)


def check_currency(value: object, currency: str) -> None:
    """Raises RefusedError if `value` is not the store's `currency` in any case."""
    if type(value) is not str:
        raise wrong_type("a currency code as text", value)
    if value.strip().upper() != currency:
        raise RefusedError(Code.FOREIGN_CURRENCY, f"The store sells in {currency}; this says {quoted(value)}.")


@lru_cache(maxsize=8192)  # a store has some thousand different prices, and a feed repeats them
def units(text: str) -> int:
    """The same of a price as text, or of a Number, in any currency."""
    whole, point, fraction = text.partition(".")
    digits = whole + fraction.ljust(SCALE, "0")
    usual = whole and digits.isascii() and digits.isdigit() and bool(point) == bool(fraction)
    if usual and len(whole) <= MAX_WHOLE_DIGITS and len(fraction) <= SCALE and (price := int(digits)) <= MAX_PRICE:
        return price
    return _unusual(text)


def _unusual(text: str) -> int:
    """A price with blanks around it or needless zeros; what no price can be is refused with the reason."""
    if len(text) > MAX_TEXT:
        raise RefusedError(Code.TOO_LARGE, f"A price has at most {MAX_TEXT} characters.")
    match = _PRICE.fullmatch(text.strip(" "))
    if match is None:
        raise RefusedError(Code.NOT_A_PRICE, f"{quoted(text)} is not a price. {_HOW}")
    sign, whole, fraction = match[1], match[2].lstrip("0"), (match[3] or "").rstrip("0")
    if sign and (whole or fraction):
        raise _negative()
    if len(fraction) > SCALE:
        raise RefusedError(Code.TOO_MANY_DECIMALS, f"{quoted(text)} has more than {SCALE} decimals.")
    price = int(whole[: MAX_WHOLE_DIGITS + 1] + fraction.ljust(SCALE, "0"))
    if len(whole) > MAX_WHOLE_DIGITS or price > MAX_PRICE:
        raise _too_large()
    return price


def _negative() -> RefusedError:
    return RefusedError(Code.NEGATIVE, "A price cannot be below zero.")


def _too_large() -> RefusedError:
    return RefusedError(Code.TOO_LARGE, "A price is at most 9,999,999.99.")


def digits(currency: str) -> int:
    """Decimals that a price of this currency is shown with (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def step(currency: str) -> int:
    """The smallest price that can be shown, in 1/10,000."""
    return _STEPS[digits(currency)]


def shown(price: int, currency: str) -> int:
    """The price as a shelf shows it: minor units of the currency, rounded half up."""
    unit = step(currency)
    return (price + unit // 2) // unit


def decimal_text(price: int, currency: str) -> str:
    """The price as a shelf shows it, with the currency's digits and a point: `4.59`."""
    places = digits(currency)
    text = str(shown(price, currency)).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}" if places else text


def exact_text(price: int) -> str:
    """The stored price, with 2 to 4 decimals: `4.589`, `46.50`."""
    whole, fraction = divmod(price, UNITS)
    return f"{whole}.{f'{fraction:04}'.rstrip('0').ljust(2, '0')}"
