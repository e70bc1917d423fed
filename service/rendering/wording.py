"""Fields as people of a place write them: prices, days, numbers and percent, by the locale of the store (CLDR)."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton
from babel.numbers import format_decimal, format_percent, get_currency_symbol, get_decimal_symbol

from service.core.faces import SlotFace
from service.core.label_fields import Kind, kind_of
from service.core.template_format import WORDS, QrArea, TextArea, parts_of, patterns

Words = Mapping[str, Mapping[str, str]]

_DIRECTING = str.maketrans("", "", "\u200e\u200f\u061c")
"""Marks that CLDR puts beside currency signs; here the sign has a place of its own."""
_PIECE = {
    "bg": "бр.", "bs": "kom", "cs": "ks", "da": "stk", "de": "Stk", "en": "pc", "es": "ud", "fi": "kpl", "fr": "pce",
    "he": "יח׳", "hr": "kom", "hu": "db", "it": "pz", "ja": "個", "ko": "개", "me": "kom", "nb": "stk", "nl": "st",
    "pl": "szt", "pt": "un", "ro": "buc", "ru": "шт", "sk": "ks", "sl": "kos", "sr": "kom", "sv": "st", "th": "ชิ้น",
    "tr": "adet", "uk": "шт", "zh": "件",
}  # fmt: skip


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

    @property
    def line(self) -> str:
        """All of it in one line: `4,59 €`, `€4.59`, `CHF 4.59`."""
        number = self.whole + self.separator + self.cents
        if not self.symbol:
            return number
        if not self.symbol_first:
            return f"{number} {self.symbol}"
        return f"{self.symbol} {number}" if self.symbol[-1].isalpha() else self.symbol + number


class Money(msgspec.Struct, frozen=True):
    """How a place writes an amount of a currency."""

    separator: str
    symbol: str
    symbol_first: bool


@lru_cache(maxsize=256)
def locale_of(name: str) -> Locale:
    """The locale, or its language alone where CLDR has no such place, or English."""
    tag = name.replace("-", "_")
    for known in (tag, tag.partition("_")[0]):
        try:
            return Locale.parse(known)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


@lru_cache(maxsize=256)
def _money(currency: str, locale: str) -> Money:
    place = locale_of(locale)
    pattern = place.currency_formats["standard"].pattern.partition(";")[0].translate(_DIRECTING)
    symbol = str(get_currency_symbol(currency, place)).translate(_DIRECTING).strip()
    return Money(get_decimal_symbol(place), symbol, symbol_first=pattern.lstrip().startswith("¤"))


@lru_cache(maxsize=8192)
def price_text(price: str, currency: str, locale: str) -> PriceText:
    """A canonical price, such as `1234.50`."""
    whole, _, cents = price.partition(".")
    how = _money(currency, locale)
    return PriceText(_number(whole, locale), how.separator if cents else "", cents, how.symbol, how.symbol_first)


@lru_cache(maxsize=8192)
def _number(number: str, locale: str) -> str:
    return format_decimal(Decimal(number), locale=locale_of(locale), decimal_quantization=False)


@lru_cache(maxsize=1024)
def _day(date: str, locale: str) -> str:
    """Day and month, as the place writes them: `31.12.`, `31/12`, `12/31`."""
    written = format_skeleton("Md", dt.date.fromisoformat(date), locale=locale_of(locale))
    return "".join(written.split()) if "." in written else written


@lru_cache(maxsize=128)
def _percent(number: str, locale: str) -> str:
    return format_percent(Decimal(number) / 100, locale=locale_of(locale))


@lru_cache(maxsize=1024)
def _text(field: str, value: str, locale: str) -> str:
    if field == "unit_price_unit" and value == "pcs":
        return _PIECE.get(locale_of(locale).language, value)
    return value


def written(field: str, slot: SlotFace, locale: str) -> str | None:
    """A field as the place writes it; None where it says nothing."""
    value = slot.value(field)
    if value is None or value == "":
        return None
    kind = kind_of(field)
    if kind is Kind.MONEY:
        return price_text(value, slot.currency, locale).line
    how = {Kind.DATE: _day, Kind.NUMBER: _number, Kind.PERCENT: _percent}.get(kind) if kind else None
    return how(value, locale) if how else _text(field, value, locale)


def texts_of(area: TextArea | QrArea, slot: SlotFace, locale: str, words: Words) -> list[tuple[str, str]]:
    """The patterns whose fields all say something, each with its text."""
    found = []
    for pattern in patterns(area):
        parts = list(parts_of(pattern))
        said = [_said(field, slot, locale, words) for field in parts[1::2]]
        if None not in said:
            parts[1::2] = said  # type: ignore[assignment] # None is not among them
            found.append((pattern, "".join(parts)))
    return found


def _said(field: str, slot: SlotFace, locale: str, words: Words) -> str | None:
    if not field.startswith(WORDS):
        return written(field, slot, locale)
    by_language = words.get(field.removeprefix(WORDS), {})
    return by_language.get(locale_of(locale).language) or next(iter(by_language.values()), None)
