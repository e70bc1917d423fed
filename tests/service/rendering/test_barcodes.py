import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from display_drivers.base import Panel
from service.core.faces import plan_face
from service.core.product import Product, StoreFacts
from service.core.templates import Bundle, Template
from service.rendering import draw as drawn
from service.rendering.barcodes import bars, qr
from tests.service.rendering.drawing import draw, render

WIDE = Panel(1600, 400)


@pytest.mark.parametrize("panel", [Panel(296, 128), Panel(400, 300), Panel(152, 152)], ids=lambda panel: panel.name)
@pytest.mark.parametrize(
    ("barcode", "found"),
    [
        ("4006381333931", ("EAN13", "4006381333931")),
        ("96385074", ("EAN8", "96385074")),
        ("036000291452", ("EAN13", "0036000291452")),  # UPC-A is EAN-13 with a leading zero
        ("20417", ("Code128", "20417")),
        ("1", ("Code128", "1")),
    ],
)
def test_a_scanner_reads_the_stores_barcode_from_the_glass(face, slot, scan, panel, barcode, found):
    assert scan(render(face(slot(barcode=barcode), panel=panel))) == [found]


@pytest.mark.parametrize("barcode", ["4006381333930", "96385075", "GIFT-050", "00012345678905"])
def test_what_is_no_gtin_is_read_as_it_is_from_code_128(face, slot, scan, barcode):
    assert scan(render(face(slot(barcode=barcode)))) == [("Code128", barcode)]


@pytest.mark.parametrize("barcode", ["99", "9912", "999", "9999", "99123456", "1299", "99A", "100", "101"])
def test_digits_that_are_also_signs_of_code_128_are_read(face, slot, scan, barcode):
    """99, 100 and 101 change the character set where they are no digits; a library lost the first."""
    assert scan(render(face(slot(barcode=barcode), panel=Panel(640, 384)))) == [("Code128", barcode)]


@settings(max_examples=60)
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64))
def test_any_legal_barcode_is_read_where_the_panel_is_wide_enough(face, slot, scan, barcode):
    found = scan(render(face(slot(barcode=barcode), panel=WIDE)))
    assert [text.removeprefix("0") for _, text in found] == [barcode.removeprefix("0")]


def test_a_barcode_too_wide_for_the_panel_is_written(face, slot, scan):
    wide = "ABCDEFGHIJ-1234567890-abcdefghij"
    frame = render(face(slot(barcode=wide)))
    assert scan(frame) == []
    assert frame.pixels != render(face(slot(barcode=wide + "!"))).pixels
    (mark,) = (mark for mark in draw(face(slot(barcode=wide))).marks if mark.kind == "barcode")
    assert (mark.state, mark.module) == ("cut", 0)


@pytest.mark.parametrize(("size", "module"), [((296, 128), 1), ((640, 384), 3), ((400, 300), 2), ((800, 480), 3)])
def test_bars_are_as_wide_as_the_panel_allows(face, slot, size, module):
    assert [mark.module for mark in draw(face(slot(), panel=Panel(*size))).marks if mark.kind == "barcode"] == [module]


def test_what_no_qr_code_can_hold_has_none():
    assert qr("x" * 4000) is None


@pytest.mark.parametrize("barcode", ["", "žito", "a\n"])
def test_what_no_symbol_can_carry_has_no_bars(barcode):
    assert bars(barcode) is None


@pytest.mark.parametrize("barcode", ["4006381333931", "96385074", "20417"])
def test_bars_stand_between_quiet_zones(barcode):
    modules = bars(barcode).modules
    assert modules.startswith("0" * 7)
    assert modules.endswith("0" * 7)


def test_a_scanner_reads_a_qr_code(scan):
    text = (
        'format = 1\nversion = 1\n[[shape]]\nname = "any"\n'
        '[area.code]\nkind = "qr"\ntext = "https://shelf.example/{barcode}"\nbox.any = [0, 0, 40, 100]\n'
    )
    template = Template(Bundle("own", {"own": text}))
    for barcode in ("3850123456782", "A/1%C3%A4"):
        face = plan_face({0: Product(barcode, name="x")}, Panel(296, 128), template, StoreFacts(), 0)
        assert scan(drawn(face, template).frame) == [("QRCode", f"https://shelf.example/{barcode}")]
