"""What of a product a template shows, decided when a face is planned."""

from typing import Any

import msgspec
import pytest

from display_drivers.base import Panel
from service.core.choosing import Choice, Rule, decoded, encoded
from service.core.faces import Face, digest, plan_face
from service.core.label_fields import FIELDS, Said
from service.core.product import Product, StoreFacts
from service.core.template_file import TemplateError
from service.core.template_format import MAX_FILE
from service.core.templates import MAX_IMAGE, Bundle, Template, Unusable, bundled, condition

STORE = StoreFacts("EUR", "Europe/Zagreb", "hr")
NOW = 1_787_400_000_000
PANEL = Panel(296, 128)
HEAD = 'format = 1\nversion = 1\n[[shape]]\nname = "any"\n'
WINE = Product(
    "1", name="Malvazija", price=99_900, sale_price=79_900, stock="12", category="Wine", brand="Kozlović", unit="kom",
    attributes={"bio": True, "origin": {"country": "HR"}, "a.b": 5, "list": [1]},
)  # fmt: skip


def made(areas: str, name: str = "own", **files: str) -> Template:
    return Template(Bundle(name, {name: HEAD + areas, **files}))


def area(kind: str, **keys: Any) -> str:
    """One area of each kind and key; values are TOML."""
    return f'[area.{kind}]\nkind = "{kind}"\nbox.any = [0, 0, 100, 100]\n' + "".join(
        f"{key} = {value}\n" for key, value in keys.items()
    )


def plan(template: Template, product: Product = WINE, **changes: Any) -> Face:
    face = plan_face({0: msgspec.structs.replace(product, **changes)}, PANEL, template, STORE, NOW)
    assert face is not None
    return face


def test_a_face_has_the_fields_that_are_written_and_no_others():
    template = made(area("text", text='"{brand} {attributes.origin.country} {attributes.a.b}"') + area("price"))
    (slot,) = plan(template).slots
    assert slot is not None
    assert slot.more == {"attributes.a.b": "5", "attributes.origin.country": "HR", "brand": "Kozlović"}
    assert (slot.price, slot.regular, slot.unit) == ("7.99", None, None)


@pytest.mark.parametrize("change", [{"stock": "11"}, {"brand": "x"}, {"price": 89_900}, {"promotion_text": "2 za 1"}])
def test_what_is_not_written_redraws_nothing(change: dict[str, Any]):
    template = made(area("text", text='"{name}"') + area("price"))
    assert digest(plan(template, **change)) == digest(plan(template))


def test_a_stock_that_only_decides_costs_a_refresh_when_it_decides_otherwise():
    template = made(area("text", text='"few left"', when="{ stock = { below = 5 } }") + area("price"))
    digests = [digest(plan(template, stock=stock)) for stock in ("12", "6", "5", "4", "3")]
    assert len({*digests[:3]}) == len({*digests[3:]}) == 1
    assert digests[2] != digests[3]


@pytest.mark.parametrize(
    ("when", "held"),
    [
        ({}, True),
        ({"on_sale": True}, True),
        ({"on_sale": False}, False),
        ({"category": "wine"}, True),
        ({"category": ["Beer", "WINE"]}, True),
        ({"category": "Beer"}, False),
        ({"promotion": False}, True),
        ({"attributes.bio": True}, True),
        ({"attributes.list": True}, False),
        ({"attributes.origin.country": "hr"}, True),
        ({"attributes.a.b": 5}, True),
        ({"attributes.none": "x"}, False),
        ({"on_sale": True, "category": "Beer"}, False),
        ([{"category": "Beer"}, {"on_sale": True}], True),
        ([{"category": "Beer"}, {"on_sale": False}], False),
    ],
)
def test_conditions_hold_for_what_the_product_says(when: Any, held: bool):
    assert condition(when)(Said(WINE, STORE, NOW)) is held


@pytest.mark.parametrize(
    ("test", "held"),
    [
        ("{ from = 12 }", True),
        ("{ from = 12.5 }", False),
        ("{ below = 12 }", False),
        ("{ from = 1, below = 13 }", True),
    ],
)
def test_numbers_are_compared_as_numbers(test: str, held: bool):
    (slot,) = plan(made(area("text", text='"x"', when=f"{{ stock = {test} }}") + area("price"))).slots
    assert slot is not None
    assert (slot.areas == ("text",)) is held


def test_a_number_that_is_not_known_is_neither_high_nor_low():
    for test in ("{ from = 0 }", "{ below = 5 }"):
        (slot,) = plan(made(area("text", text='"x"', when=f"{{ stock = {test} }}")), stock=None).slots
        assert slot is not None
        assert slot.areas == ()


def test_a_text_that_is_another_or_absent_is_not_it():
    template = made(area("text", text='"x"', when='{ category = { not = "Wine" } }'))
    areas = [plan(template, category=category).slots[0].areas for category in ("wine", "Beer", None)]  # type: ignore[union-attr]
    assert areas == [(), ("text",), ("text",)]


def test_the_first_variant_that_holds_is_taken():
    files = {"sale": HEAD + area("price", field='"regular"'), "plain": HEAD + area("price")}
    text = 'format = 1\nversion = 1\n[[variant]]\nuse = "sale"\nwhen = { on_sale = true }\n[[variant]]\nuse = "plain"\n'
    template = Template(Bundle("own", {"own": text, **files}))
    sale, plain = plan(template).slots[0], plan(template, sale_price=None).slots[0]
    assert sale is not None
    assert plain is not None
    assert (sale.look, sale.regular, plain.look, plain.regular) == ("sale", "9.99", "plain", None)


def test_a_variant_has_no_variants():
    text = 'format = 1\nversion = 1\n[[variant]]\nuse = "own"\n'
    with pytest.raises(TemplateError, match="has variants of its own"):
        Template(Bundle("own", {"own": text}))


def test_whatever_a_template_is_made_of_is_in_its_digest():
    one = made(area("price"))
    picture = Template(Bundle("own", dict(one.bundle.files), {"logo.png": b"1"}))
    assert (
        len({one.digest, made(area("price", cents='"level"')).digest, picture.digest, made(area("price"), "b").digest})
        == 4
    )
    assert Template.stored(picture.content).digest == picture.digest


@pytest.mark.parametrize(
    "stored", ["", "{}", '{"name":"a","files":{}}', '{"name":"a","files":{"a":"format = 9"}}', b"\xff"]
)
def test_what_was_stored_and_cannot_be_read_is_a_template_error(stored: Any):
    with pytest.raises(TemplateError):
        Template.stored(stored)


def test_a_bundle_is_gathered_with_its_variants_and_pictures():
    logo = HEAD + area("image", file='"logo.png"') + area("price")
    files = {"own": 'format = 1\nversion = 1\n[[variant]]\nuse = "logo"\n', "logo": logo}
    found = bundled("own", files.get, {"logo.png": b"picture"}.get)
    assert found == Bundle("own", files, {"logo.png": b"picture"})


@pytest.mark.parametrize(
    ("files", "images", "fault"),
    [
        ({}, {}, "own.toml: There is no such file."),
        ({"own": 'format = 1\nversion = 1\n[[variant]]\nuse = "gone"\n'}, {}, "gone.toml: There is no such file."),
        ({"own": HEAD + area("image", file='"a.png"')}, {}, "area image: There is no picture a.png beside it."),
        ({"own": HEAD + area("image", file='"a.png"')}, {"a.png": b"x" * (MAX_IMAGE + 1)}, "a.png has over"),
        ({"own": HEAD + area("image", file='"../a.png"')}, {}, "Expected `str` matching regex"),
        ({"own": "x" * (MAX_FILE + 1)}, {}, "at most"),
    ],
)
def test_what_is_missing_or_too_large_is_told(files: dict[str, str], images: dict[str, bytes], fault: str):
    with pytest.raises(TemplateError, match=fault.replace(".", r"\.")):
        bundled("own", files.get, images.get)


def test_a_template_that_is_not_there_still_gives_a_face_that_says_so():
    face = plan(Unusable("gone"))
    assert (face.template, face.template_version, face.template_digest) == ("gone", 0, "")
    assert digest(plan(Unusable("gone"), price=1, sale_price=None)) != digest(face)


@pytest.mark.parametrize(
    ("panel", "category", "own", "template"),
    [
        ("296x128-BWR", "Wine", None, "both"),
        ("296x128-BWR", "WINE", "mine", "mine"),
        ("400x300-BW", "wine", None, "category"),
        ("296x128-BWR", "Beer", None, "panel"),
        ("296x128-BWR", None, None, "panel"),
        ("400x300-BW", None, None, "all"),
    ],
)
def test_the_nearest_choice_wins(panel: str, category: str | None, own: str | None, template: str):
    choice = Choice()
    for rule in (
        Rule("panel", "296x128-BWR"), Rule("category", category="Wine"), Rule("both", "296x128-BWR", "wine"),
        Rule("all"), Rule("old", "400x300-BW"),
    ):  # fmt: skip
        choice = choice.changed(rule)
    choice = decoded(encoded(choice.without(Rule("", "400x300-BW"))))
    assert choice.of(panel, category, own) == template


def test_choosing_again_replaces_and_taking_back_leaves_the_default():
    choice = Choice().changed(Rule("a", category="Wine")).changed(Rule("b", category="wine"))
    assert [rule.template for rule in choice.rules] == ["b"]
    assert choice.without(Rule("", category="WINE")) == Choice()
    assert choice.changed(Rule("c")).without(Rule("")) == choice
    assert decoded("{}") == Choice()


def test_every_field_can_be_read_of_a_product_that_says_nothing():
    said = Said(Product("1"), STORE, NOW)
    assert {name for name in FIELDS if said.holds(name)} == {"barcode"}


@pytest.mark.parametrize(
    ("price", "sale", "saving"), [(15_000, 10_100, "32"), (15_000, 14_999, None), (30_000, 1, "100"), (0, 0, None)]
)
def test_a_saving_is_rounded_down_and_what_saves_nothing_claims_nothing(price: int, sale: int, saving: str | None):
    assert Said(Product("1", price=price, sale_price=sale), STORE, NOW).value("saving") == saving


@pytest.mark.parametrize(("stock", "sold_out"), [("0", True), ("-2", True), ("0.5", False), (None, False)])
def test_sold_out_is_a_stock_that_is_known_and_gone(stock: str | None, sold_out: bool):
    assert Said(Product("1", stock=stock), STORE, NOW).holds("sold_out") is sold_out


@pytest.mark.parametrize(
    ("unit", "weighed"), [("kg", True), ("100 g", False), ("kom", False), (None, False), ("l", True)]
)
def test_what_is_sold_by_weight_volume_or_length_is_weighed(unit: str | None, weighed: bool):
    assert Said(Product("1", unit=unit), STORE, NOW).holds("weighed") is weighed
