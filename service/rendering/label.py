"""What the plain template says of a product, in words ready to draw."""

from collections.abc import Iterator

import msgspec

from service.core.faces import SlotFace
from service.core.money import sign, written
from service.core.quantities import base_unit


class PriceText(msgspec.Struct, frozen=True):
    """A price as it is set: `1.234,` large, `50` raised, the currency beside or below them.

    Attributes:
        whole: Units with their group separators.
        separator: Between units and cents; empty, as `cents` is, for a currency without them.
        symbol: The currency.
        symbol_first: Whether the locale writes it before the number.
    """

    whole: str
    separator: str
    cents: str
    symbol: str
    symbol_first: bool = False


class Note(msgspec.Struct, frozen=True):
    """One line of small print.

    Attributes:
        text: At the start of the line.
        aside: At its end; left out where both don't fit.
        struck: Whether `text` is a price of before.
        prose: Whether `text` may end with an ellipsis; a price never does, as what is left is another price.
    """

    text: str
    aside: str = ""
    struck: bool = False
    prose: bool = False


class Label(msgspec.Struct, frozen=True):
    """One product on a display.

    Attributes:
        name: In logical order.
        price: None where it is not known: a dash is drawn, never a wrong price.
        sale: Whether the price stands on the panel's colour.
        notes: Most important first.
        barcode: As the store has it; empty for none.
    """

    name: str
    price: PriceText | None
    sale: bool = False
    notes: tuple[Note, ...] = ()
    barcode: str = ""


def label_of(slot: SlotFace, locale: str) -> Label:
    """The plain template: what it says of one product, most important first."""
    return Label(
        name=slot.name,
        price=_price_text(slot.price, slot.currency, locale) if slot.price is not None else None,
        sale=slot.on_sale,
        notes=tuple(_notes(slot, locale)),
        barcode=slot.barcode,
    )


def _notes(slot: SlotFace, locale: str) -> Iterator[Note]:
    until = f"→ {_day(slot.until, locale)}" if slot.until else ""
    if slot.regular is not None:
        yield Note(_amount(slot.regular, slot.currency, locale), aside=_saving(slot), struck=True)
    per_unit = _per_unit(slot, locale)
    if per_unit or until:
        yield Note(per_unit or until, aside=until if per_unit else "")
    if slot.promotion:
        yield Note(slot.promotion, prose=True)


def _per_unit(slot: SlotFace, locale: str) -> str:
    """The unit price; for weighed goods, whose price is one already, the price with its unit."""
    if slot.unit_price is not None and slot.unit_price_unit:
        return f"{_amount(slot.unit_price, slot.currency, locale)} / {slot.unit_price_unit}"
    if slot.price is not None and slot.unit and base_unit(slot.unit) != PIECES:
        return f"{_amount(slot.price, slot.currency, locale)} / {slot.unit}"
    return ""


def _saving(slot: SlotFace) -> str:
    """Whole percent, rounded down: a shelf must not promise more than the till gives."""
    if slot.price is None or slot.regular is None:
        return ""
    price, regular = (int(text.replace(".", "")) for text in (slot.price, slot.regular))
    percent = (regular - price) * 100 // regular if regular else 0
    return f"−{percent} %" if percent > 0 else ""  # noqa: RUF001  a minus sign is as wide as a digit


def _price_text(price: str, currency: str, locale: str) -> PriceText:
    whole, point, cents = price.partition(".")
    return PriceText(_grouped(whole), written(point, locale), cents, sign(currency), _sign_first(locale))


def _amount(price: str, currency: str, locale: str) -> str:
    """A price in one line of small print: `4,59 €`, `€4.59`, `CHF 4.59`."""
    whole, point, cents = price.partition(".")
    number = _grouped(whole) + written(point, locale) + cents
    mark = sign(currency)
    if not _sign_first(locale):
        return f"{number} {mark}"
    return f"{mark} {number}" if mark[-1].isalpha() else f"{mark}{number}"


def _grouped(whole: str) -> str:
    """Thousands apart by a narrow blank, from five digits on (ISO 80000-1, 7.3.1)."""
    return f"{int(whole):,}".replace(",", NARROW_BLANK) if len(whole) >= len("10000") else whole


def _day(date: str, locale: str) -> str:
    """Day and month of an ISO date, as the locale writes them: `31.12.`, `31/12`, `12/31`."""
    _, month, day = date.split("-")
    language = locale.replace("-", "_").partition("_")[0]
    if locale.replace("-", "_") == "en_US":
        return f"{month}/{day}"
    return f"{day}/{month}" if language in SLASHES else f"{day}.{month}."


def _sign_first(locale: str) -> bool:
    return locale.replace("-", "_").partition("_")[0] in SIGN_FIRST


PIECES = "pcs"
NARROW_BLANK = "\u202f"
SIGN_FIRST = frozenset(["en", "ga", "hi", "ja", "ko", "mt", "nl", "th", "tr", "zh"])
SLASHES = frozenset(["el", "en", "es", "fr", "ga", "it", "mt", "pt"])
