import pytest

from service.core.faces import SlotFace
from service.core.template_format import TextArea
from service.rendering.wording import PriceText, price_text, texts_of, written

BOX = {"wide": (0, 0, 100, 100)}


@pytest.mark.parametrize(
    ("price", "currency", "locale", "text"),
    [
        ("4.59", "EUR", "hr", PriceText("4", ",", "59", "€")),
        ("4.59", "EUR", "en-IE", PriceText("4", ".", "59", "€", symbol_first=True)),
        ("1299", "JPY", "ja", PriceText("1,299", "", "", "\uffe5", symbol_first=True)),
        ("1.250", "KWD", "ar", PriceText("1", ".", "250", "د.ك.")),
        ("9999999.99", "EUR", "de", PriceText("9.999.999", ",", "99", "€")),
        ("9999999.99", "INR", "hi-IN", PriceText("99,99,999", ".", "99", "₹", symbol_first=True)),
        ("4.59", "CHF", "de-CH", PriceText("4", ".", "59", "CHF", symbol_first=True)),
        ("4.59", "EUR", "xx", PriceText("4", ".", "59", "€", symbol_first=True)),
    ],
)
def test_a_price_is_written_as_its_place_does(price, currency, locale, text):
    assert price_text(price, currency, locale) == text


@pytest.mark.parametrize(
    ("locale", "currency", "line"),
    [("hr", "EUR", "1,49 €"), ("en-US", "USD", "$1.49"), ("en", "CHF", "CHF 1.49"), ("he", "ILS", "1.49 ₪")],
)
def test_a_price_in_small_print_is_one_line(slot, locale, currency, line):
    assert written("regular", slot(currency=currency), locale) == line


@pytest.mark.parametrize(
    ("locale", "day"), [("hr", "31.12."), ("de", "31.12."), ("fr-FR", "31/12"), ("en-GB", "31/12"), ("en-US", "12/31")]
)
def test_a_day_is_written_as_its_place_does(slot, locale, day):
    assert written("until", slot(), locale) == day


@pytest.mark.parametrize(("locale", "percent"), [("en", "33%"), ("de", "33\xa0%"), ("tr", "%33")])
def test_percent_are_written_as_their_place_does(slot, locale, percent):
    assert written("saving", slot(), locale) == percent


def test_numbers_and_pieces_are_in_the_stores_language(slot):
    product = slot(unit_price_unit="pcs", more={"stock": "1234.5"})
    assert written("stock", product, "de") == "1.234,5"
    assert [written("unit_price_unit", product, locale) for locale in ("de", "hr", "eo")] == ["Stk", "kom", "pcs"]


def test_the_first_text_is_taken_whose_fields_all_say_something(slot):
    area = TextArea(box=BOX, text=["{unit_price} / {unit_price_unit}", "{price} / {unit}", "{name}"])
    assert [text for _, text in texts_of(area, slot(), "hr", {})] == ["1,98 € / l", "Čokoladno mlijeko s đumbirom"]
    assert texts_of(TextArea(box=BOX, text="{attributes.origin}"), slot(), "hr", {}) == []


@pytest.mark.parametrize(("locale", "text"), [("hr", "Akcija"), ("de-AT", "Angebot"), ("fr", "Sale")])
def test_words_are_in_the_stores_language_or_the_first_that_is_named(slot, locale, text):
    words = {"sale": {"en": "Sale", "de": "Angebot", "hr": "Akcija"}}
    area = TextArea(box=BOX, text="{words.sale}")
    assert [found for _, found in texts_of(area, slot(), locale, words)] == [text]


def test_an_empty_field_says_nothing():
    assert written("promotion", SlotFace("1", "Milk", "EUR", promotion=""), "en") is None
