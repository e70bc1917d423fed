import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from display_drivers.base import Panel
from service.rendering import render
from service.rendering.barcodes import bars
from service.rendering.layout import Box, areas

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
    assert areas(Box(0, 0, 296, 128), bars(wide)).module == 0


@pytest.mark.parametrize("barcode", ["", "žito", "a\n"])
def test_what_no_symbol_can_carry_has_no_bars(barcode):
    assert bars(barcode) is None


@pytest.mark.parametrize("barcode", ["4006381333931", "96385074", "20417"])
def test_bars_stand_between_quiet_zones(barcode):
    modules = bars(barcode).modules
    assert modules.startswith("0" * 7)
    assert modules.endswith("0" * 7)
