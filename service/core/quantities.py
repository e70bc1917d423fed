"""Stock and net content: exact decimals kept as canonical text, and prices per kilogram, litre, metre or piece."""

import re
from functools import lru_cache

from service.core.money import MAX_PRICE
from service.core.problems import Code, RefusedError, quoted, wrong_type

MAX_WHOLE_DIGITS = 12
MAX_DECIMALS = 18
"""As many as a POS that calculates in binary floating point writes."""
MAX_TEXT = 40

_QUANTITY = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")

# Unit as feeds write it -> (base unit that a shelf names, how many make one base unit).
_UNITS: dict[str, tuple[str, int]] = {
    "mg": ("kg", 1_000_000), "g": ("kg", 1000), "gr": ("kg", 1000), "dag": ("kg", 100), "dkg": ("kg", 100),
    "kg": ("kg", 1),
    "ml": ("l", 1000), "cl": ("l", 100), "dl": ("l", 10), "l": ("l", 1), "lt": ("l", 1), "ltr": ("l", 1),
    "mm": ("m", 1000), "cm": ("m", 100), "m": ("m", 1),
    "m2": ("m²", 1), "m²": ("m²", 1),
    "pcs": ("pcs", 1), "pc": ("pcs", 1), "piece": ("pcs", 1), "pieces": ("pcs", 1), "ea": ("pcs", 1),
    "each": ("pcs", 1), "ko": ("pcs", 1), "kom": ("pcs", 1), "st": ("pcs", 1), "stk": ("pcs", 1), "szt": ("pcs", 1),
    "ks": ("pcs", 1), "db": ("pcs", 1),
}  # fmt: skip


def parse_quantity(value: object) -> str:
    """A signed decimal, from an integer, a Number or text, without needless zeros: `-12.5`.

    Raises:
        RefusedError: not a plain decimal, over 12 digits before the point or over 18 after it.
    """
    if type(value) is int:
        return _canonical(str(value)) if abs(value) < 10**MAX_WHOLE_DIGITS else _refuse_large()
    if isinstance(value, str):
        return _canonical(value)
    raise wrong_type("a quantity as a number or text", value)


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    if len(text) > MAX_TEXT:
        return _refuse_large()
    match = _QUANTITY.fullmatch(text.strip(" "))
    if match is None:
        raise RefusedError(Code.NOT_A_NUMBER, f"{quoted(text)} is not a quantity. Write it such as 12 or 0.75.")
    sign, whole, fraction = match[1], match[2].lstrip("0"), (match[3] or "").rstrip("0")
    if len(whole) > MAX_WHOLE_DIGITS:
        return _refuse_large()
    if len(fraction) > MAX_DECIMALS:
        raise RefusedError(Code.TOO_MANY_DECIMALS, f"A quantity has at most {MAX_DECIMALS} decimals.")
    size = f"{whole or '0'}.{fraction}" if fraction else whole or "0"
    return sign + size if size != "0" else size


def _refuse_large() -> str:
    raise RefusedError(Code.TOO_LARGE, f"A quantity has at most {MAX_WHOLE_DIGITS} digits before the decimal point.")


def base_unit(unit: str | None) -> str | None:
    """The unit that a shelf names a unit price by, for a unit of content; None if it is not a known one."""
    known = _UNITS.get(unit.lower().rstrip(".")) if unit else None
    return known[0] if known else None


def price_per_base_unit(price: int, net_content: str | None, unit: str | None) -> int | None:
    """What one kilogram, litre, metre or piece costs, in 1/10,000; None if it cannot be known or says nothing new.

    Rounded down: what follows is rounding half up to the currency's digits, and rounding half up twice would raise
    4.58496 to 4.59.
    """
    known = _UNITS.get(unit.lower().rstrip(".")) if unit else None
    if known is None or net_content is None or (known[0] == "pcs" and net_content == "1"):
        return None
    whole, _, fraction = net_content.partition(".")
    content = int(whole + fraction)
    if content <= 0:
        return None
    per_base = price * known[1] * 10 ** len(fraction) // content
    return per_base if per_base <= MAX_PRICE else None
