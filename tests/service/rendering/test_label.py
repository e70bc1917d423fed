import pytest

from service.rendering.label import Note, PriceText, label_of


@pytest.mark.parametrize(
    ("price", "currency", "locale", "text"),
    [
        ("4.59", "EUR", "hr", PriceText("4", ",", "59", "€")),
        ("4.59", "EUR", "en_IE", PriceText("4", ".", "59", "€", symbol_first=True)),
        ("1299", "JPY", "ja", PriceText("1299", "", "", "¥", symbol_first=True)),
        ("1.250", "KWD", "ar", PriceText("1", ".", "250", "KWD")),
        ("9999999.99", "EUR", "de", PriceText("9\u202f999\u202f999", ",", "99", "€")),
    ],
)
def test_a_price_is_written_as_its_locale_does(slot, price, currency, locale, text):
    assert label_of(slot(price=price, currency=currency), locale).price == text


def test_a_product_without_a_price_has_none_and_no_saving(slot):
    label = label_of(slot(price=None), "hr")
    assert label.price is None
    assert label.notes[0].aside == ""


def test_a_sale_strikes_the_old_price_and_says_what_is_saved_and_until_when(slot):
    assert label_of(slot(), "hr").notes == (
        Note("1,49 €", "−33 %", struck=True),  # noqa: RUF001
        Note("1,98 € / l", "→ 31.12."),
        Note("Samo ovaj tjedan!", prose=True),
    )


def test_a_saving_is_rounded_down(slot):
    assert label_of(slot(price="1.01", regular="1.50"), "hr").notes[0].aside == "−32 %"  # noqa: RUF001


@pytest.mark.parametrize(("price", "regular"), [("1.50", "1.50"), ("1.60", "1.50"), ("0.00", "0.00")])
def test_what_saves_nothing_claims_nothing(slot, price, regular):
    assert label_of(slot(price=price, regular=regular), "hr").notes[0].aside == ""


def test_the_end_of_a_sale_is_told_without_a_unit_price_too(slot):
    label = label_of(slot(unit_price=None, unit_price_unit=None, promotion=None), "hr")
    assert label.notes[1:] == (Note("→ 31.12."),)


@pytest.mark.parametrize(
    ("locale", "day"), [("hr", "31.12."), ("fr_FR", "31/12"), ("en-GB", "31/12"), ("en_US", "12/31")]
)
def test_a_day_is_written_as_its_locale_does(slot, locale, day):
    assert label_of(slot(), locale).notes[1].aside == f"→ {day}"


@pytest.mark.parametrize(("unit", "note"), [("kg", (Note("2,49 € / kg"),)), ("piece", ()), (None, ())])
def test_weighed_goods_name_their_unit_and_pieces_do_not(slot, unit, note):
    goods = slot(
        price="2.49",
        regular=None,
        on_sale=False,
        until=None,
        unit=unit,
        unit_price=None,
        unit_price_unit=None,
        promotion=None,
    )
    assert label_of(goods, "de").notes == note


@pytest.mark.parametrize(("currency", "text"), [("USD", "$1.49"), ("CHF", "CHF 1.49")])
def test_a_sign_of_letters_stands_apart(slot, currency, text):
    assert label_of(slot(currency=currency), "en").notes[0].text == text
