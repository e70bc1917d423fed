"""The shipped templates, on every common panel, with the products of every day and the worst ones."""

import itertools

import pytest

from display_drivers.base import Panel
from service.rendering import draw, render
from service.rendering.lint import lint
from service.rendering.samples import PALETTES, PANELS, SAMPLES, SIZES
from service.rendering.shipped import names, shipped, text

VERSIONS = {
    "minimal": (1, "2a9b3cf162cb459f8da6128fd2c3e1b0"),
    "price": (2, "5c00deb6e0c195f07654d62a20d1d9ba"),
    "regular": (1, "2a09a0870932b874e356b13584daf678"),
    "sale": (1, "7f9bc7b5bc2bae1f7fc24fa8ef9e79d5"),
    "sold-out": (1, "053d4e1390eb8a464f963bd81e658c5c"),
    "two-products": (1, "303dc83a7b1af7027a93e8abf63920c7"),
    "weighed": (1, "4d16ec71e6ab9cbccb23d5c4602aee34"),
}
LEAST_CAPITAL = 9
EVERY = list(itertools.product(names(), SIZES, SAMPLES))


@pytest.fixture(params=names())
def template(request):
    return shipped(request.param)


def test_these_ship():
    assert names() == ("minimal", "price", "regular", "sale", "sold-out", "two-products", "weighed")
    assert text("nobody") is None
    with pytest.raises(KeyError):
        shipped("nobody")


def test_a_template_that_changes_has_another_version(template):
    """Other files: raise the version in them, as labels are told apart by it, and renew the digest here."""
    assert VERSIONS[template.name] == (template.version, template.digest)


def test_a_shipped_template_has_no_errors(template):
    assert [str(finding) for finding in lint(template) if finding.level == "error"] == []


def test_everyday_products_are_shown_whole_on_every_panel(template):
    """But for a name that two small labels on one panel have no room for."""
    cut = [
        (width, sample, mark.area)
        for (width, height), (sample, product) in itertools.product(SIZES, SAMPLES.items())
        if not product.extreme
        for mark in draw(product.face(template, Panel(width, height)), template).marks
        if mark.state in {"cut", "left out"}
    ]
    known = {(212, "sale", "name")} if template.name == "two-products" else set()
    assert set(cut) <= known


def test_nothing_is_smaller_than_nine_pixels(template):
    for (width, height), product in itertools.product(SIZES, SAMPLES.values()):
        marks = draw(product.face(template, Panel(width, height)), template).marks
        assert min(mark.height for mark in marks if mark.height) >= LEAST_CAPITAL


def test_every_price_is_shown_the_highest_too(template):
    for (width, height), (sample, product) in itertools.product(SIZES, SAMPLES.items()):
        marks = draw(product.face(template, Panel(width, height)), template).marks
        shown = {mark.state for mark in marks if mark.kind == "price"}
        assert shown == ({"empty"} if product.product.price is None else {"drawn"}), (width, sample)


def test_a_colour_is_the_price_on_sale_and_nothing_else(template):
    for panel in PANELS:
        colours = set(render(SAMPLES["sale"].face(template, panel), template).pixels) - {0, 1}
        assert colours <= {2}
        regular = render(SAMPLES["regular"].face(template, panel), template).pixels
        assert template.name == "sale" or set(regular) <= {0, 1}


def test_every_palette_shows_the_same_label_in_its_own_inks(template):
    """Ink for ink: what is coloured where there is a colour is black or white where there is none."""
    for size in SIZES:
        faces = [SAMPLES["regular"].face(template, Panel(*size, palette)) for palette in PALETTES]
        frames = [render(face, template).pixels for face in faces]
        assert template.name == "sale" or len(set(frames)) == 1


def test_one_template_is_right_for_what_a_product_is():
    price = shipped("price")
    looks = {name: sample.face(price, Panel(296, 128)).slots[0].look for name, sample in SAMPLES.items()}
    assert (looks["regular"], looks["sale"], looks["weighed"], looks["sold out"]) == (
        "regular",
        "sale",
        "weighed",
        "sold-out",
    )
