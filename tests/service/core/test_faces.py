import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.base import Panel
from service.core.faces import Face, SlotFace, digest, from_content, plan_face, to_content
from service.core.moments import parse_end
from service.core.product import Product, StoreFacts
from service.core.templates import Bundle, Template
from service.rendering.shipped import shipped

PANEL = Panel(296, 128, "BWR")
STORE = StoreFacts("EUR", "Europe/Zagreb", "hr")
BUTTER = Product("3850108060102", name="Maslac 250 g", price=29_900, net_content="250", net_content_unit="g")
NOW = 1_787_400_000_000
PRICE = shipped("price")


def renewed(name: str) -> Template:
    """A later version of a shipped template."""
    text = shipped(name).bundle.files[name]
    return Template(Bundle(name, {name: text.replace("version = 1", "version = 2")}))


def plan(*products: Product | None, now: int = NOW, store: StoreFacts = STORE) -> Face:
    face = plan_face(dict(enumerate(products)), PANEL, PRICE, store, now)
    assert face is not None
    return face


def changed(**fields: object) -> Product:
    return msgspec.structs.replace(BUTTER, **fields)


def slot(**fields: object) -> SlotFace:
    face = plan(changed(**fields)).slots[0]
    assert face is not None
    return face


def test_a_slot_has_what_a_shopper_can_see():
    assert plan(BUTTER).slots == (
        SlotFace(
            barcode="3850108060102",
            name="Maslac 250 g",
            currency="EUR",
            price="2.99",
            unit_price="11.96",
            unit_price_unit="kg",
            look="regular",
        ),
    )


def test_a_sale_has_the_regular_price_and_its_last_day():
    face = slot(sale_price=24_900, sale_end=parse_end("2026-08-31", "Europe/Zagreb"))
    assert (face.price, face.regular, face.on_sale, face.until) == ("2.49", "2.99", True, "2026-08-31")


def test_a_computed_unit_price_follows_what_is_paid_now():
    assert slot(sale_price=24_900).unit_price == "9.96"


def test_a_unit_price_of_the_feed_wins():
    assert (slot(unit_price=120_000).unit_price, slot(unit_price=120_000).unit_price_unit) == ("12.00", "kg")
    assert slot(unit_price=120_000, net_content_unit=None, unit="kom").unit_price_unit == "kom"


def test_no_price_shows_no_unit_price_either():
    face = slot(price=None, sale_price=24_900, sale_end=NOW, unit_price=120_000)
    assert (face.price, face.unit_price, face.unit_price_unit) == (None, None, None)


def test_a_promotion_text_goes_when_it_ends():
    assert slot(promotion_text="2 za 1", promotion_until=NOW + 1).promotion == "2 za 1"
    assert slot(promotion_text="2 za 1", promotion_until=NOW).promotion is None


def test_prices_have_the_digits_of_the_currency():
    face = plan(BUTTER, store=StoreFacts("JPY", "Asia/Tokyo", "ja")).slots[0]
    assert face.price == "3"


def test_an_archived_product_leaves_its_slot_empty():
    assert plan(BUTTER, None).slots[1] is None
    assert plan(None, None).slots == (None, None)


def test_a_slot_that_nothing_was_ever_bound_to_is_empty():
    face = plan_face({2: BUTTER}, PANEL, PRICE, STORE, NOW)
    assert [bool(content) for content in face.slots] == [False, False, True]


def test_without_any_product_there_is_no_face():
    assert plan_face({}, PANEL, PRICE, STORE, NOW) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"stock": "5"},
        {"sku": "1"},
        {"unit": "kg"},  # there is a unit price
        {"description": "Butter"},
        {"attributes": {"a": 1}},
        {"source_updated_at": 5},
        {"price": 29_901},
        {"price": 29_949, "unit_price": 119_600},
        {"sale_price": 30_000},
    ],
)
def test_what_a_shopper_cannot_see_redraws_nothing(fields):
    before = changed(unit_price=119_600) if "unit_price" in fields else BUTTER
    assert digest(plan(changed(**fields))) == digest(plan(before))


def test_4_589_to_4_591_redraws_nothing():
    prices = [changed(price=price, net_content=None) for price in (45_890, 45_910, 45_900)]
    assert len({digest(plan(product)) for product in prices}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Maslac"},
        {"price": 30_000},
        {"sale_price": 24_900},
        {"unit": "kg", "net_content": None},
        {"promotion_text": "2 za 1"},
    ],
)
def test_what_a_shopper_can_see_changes_the_digest(fields):
    assert digest(plan(changed(**fields))) != digest(plan(BUTTER))


def test_panel_template_version_and_locale_change_the_digest():
    products = {0: BUTTER}
    faces = [
        plan_face(products, PANEL, PRICE, STORE, NOW),
        plan_face(products, Panel(400, 300), PRICE, STORE, NOW),
        plan_face(products, PANEL, shipped("minimal"), STORE, NOW),
        plan_face(products, PANEL, renewed("minimal"), STORE, NOW),
        plan_face(products, PANEL, PRICE, StoreFacts("EUR", "UTC", "en"), NOW),
        plan_face({1: BUTTER}, PANEL, PRICE, STORE, NOW),
    ]
    assert len({digest(face) for face in faces}) == len(faces)


def test_the_digest_is_the_same_in_every_process_and_at_every_time():
    assert digest(plan(BUTTER)) == digest(plan(BUTTER, now=NOW + 1)) == "20505a1546d01f497383ba74dd776152"


@given(
    st.lists(st.none() | st.builds(Product, st.just("1"), st.text(), st.integers(0, 10**11)), min_size=1, max_size=3)
)
def test_a_face_comes_back_from_what_was_stored(products):
    face = plan(*products)
    content = msgspec.json.decode(msgspec.json.encode(to_content(face)))
    assert content == to_content(face)
    assert from_content(content) == face
    assert digest(from_content(content)) == digest(face)
