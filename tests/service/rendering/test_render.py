import hashlib
import os
import subprocess
import sys
import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.base import Panel
from service.core.boxes import Box
from service.core.faces import SlotFace, digest
from service.rendering import FrameCache
from service.rendering.areas import Job, draw_area
from service.rendering.canvas import Canvas
from service.rendering.shipped import names, shipped
from tests.service.rendering.drawing import cached, draw, face_of, render

PANELS = [
    Panel(152, 152),
    Panel(200, 200, "BWRY"),
    Panel(212, 104, "BW"),
    Panel(296, 128),
    Panel(296, 152, "BWY"),
    Panel(400, 300),
    Panel(640, 384, "BW"),
    Panel(800, 480),
]
BLACK, WHITE, RED = 0, 1, 2

CONDITIONAL = sorted(
    {name for each in names() for look in shipped(each).looks for name, area in look.file.area.items() if area.when}
)

barcodes = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)
prices = st.integers(0, 99_999_999_900).map(lambda units: f"{units // 10_000}.{units % 100:02}")
texts = st.text(max_size=255)
slots = st.builds(
    SlotFace,
    barcode=barcodes,
    name=texts,
    currency=st.sampled_from(["EUR", "USD", "JPY", "KWD", "XXX", "ILS"]),
    price=st.none() | prices,
    regular=st.none() | prices,
    on_sale=st.booleans(),
    until=st.none() | st.dates().map(lambda day: day.isoformat()),
    unit=st.none() | texts,
    unit_price=st.none() | prices,
    unit_price_unit=st.none() | st.sampled_from(["kg", "l", "m²"]),
    promotion=st.none() | texts,
    look=st.none() | st.sampled_from(["sale", "regular", "weighed", "sold-out"]),
    areas=st.lists(st.sampled_from(CONDITIONAL), unique=True).map(tuple),
    more=st.fixed_dictionaries({}, optional={"saving": st.integers(0, 100).map(str)}),
)
LOCALES = ["en", "en_US", "hr", "de-CH", "he", "ar", "fr_FR", "ja", "th"]
faces = st.builds(
    lambda panel, locale, template, slots: face_of(*slots, panel=panel, locale=locale, template=template),
    panel=st.sampled_from(PANELS) | st.builds(Panel, st.integers(1, 160), st.integers(1, 160)),
    locale=st.sampled_from(LOCALES),
    template=st.sampled_from(names()),
    slots=st.lists(st.none() | slots, max_size=5),
)


@given(faces)
def test_any_face_fills_its_panel_with_inks_of_its_palette(face):
    frame = render(face)
    assert len(frame.pixels) == face.panel.width * face.panel.height
    assert set(frame.pixels) <= set(range(len(face.panel.palette)))


@given(slots, st.sampled_from(names()), st.data())
def test_nothing_of_a_product_is_drawn_outside_its_area(slot, name, data):
    """Each area of every shipped template, alone on a canvas that is larger on every side."""
    look = data.draw(st.sampled_from(shipped(name).looks))
    area_name, area = data.draw(st.sampled_from(sorted(look.file.area.items(), key=lambda item: item[0])))
    width, height = data.draw(st.integers(1, 420)), data.draw(st.integers(1, 200))
    canvas, box = Canvas.blank(width + 100, height + 100), Box(50, 50, 50 + width, 50 + height)
    locale = data.draw(st.sampled_from(LOCALES))
    draw_area(Job(canvas, slot, locale, "BWR", look.file.words, {}, min(width, height)), area_name, area, box)
    canvas.fill(box, WHITE)
    assert set(canvas.image.tobytes()) == {WHITE}


def _columns(frame):
    width = frame.panel.width
    return [frame.pixels[start::width] for start in range(width)]


def test_a_face_without_products_is_white(face):
    for empty in (face(), face(None), face(None, None), face(None, None, template="two-products")):
        assert set(render(empty).pixels) == {WHITE}


def test_an_empty_slot_stays_white_beside_a_full_one(face, slot):
    panel = Panel(600, 128)
    columns = _columns(render(face(slot(), None, panel=panel)))
    assert all(set(column) == {WHITE} for column in columns[301:])
    assert any(set(column) != {WHITE} for column in columns[:300])


def test_a_sale_is_shown_in_colour_and_a_regular_price_is_not(face, slot):
    assert RED in render(face(slot())).pixels
    assert RED not in render(face(slot(on_sale=False, regular=None))).pixels


def test_a_sale_on_a_black_and_white_panel_is_white_on_black(face, slot):
    panel = Panel(296, 128, "BW")
    sale = render(face(slot(), panel=panel)).pixels
    regular = render(face(slot(on_sale=False), panel=panel)).pixels
    assert sale.count(BLACK) > 1.5 * regular.count(BLACK)


def test_a_product_without_a_price_is_drawn_with_a_dash_and_without_colour(face, slot):
    unpriced = render(face(slot(price=None, on_sale=False))).pixels
    assert RED not in unpriced
    assert unpriced not in {render(face(slot(price=price, on_sale=False))).pixels for price in ("0.00", "1.49")}


@pytest.mark.parametrize("field", ["name", "price", "regular", "until", "unit_price", "promotion", "barcode", "more"])
def test_whatever_a_shopper_can_see_changes_the_pixels(face, slot, field):
    other = {"name": "Mlijeko", "price": "0.98", "regular": "1.50", "until": "2026-12-30", "unit_price": "1.96",
             "promotion": "Novo!", "barcode": "96385074", "more": {"saving": "34"}}  # fmt: skip
    panel = Panel(400, 300)
    changed = slot(**{field: other[field]})
    assert render(face(slot(), panel=panel)).pixels != render(face(changed, panel=panel)).pixels


def test_a_price_in_small_print_is_left_out_before_it_is_cut(face, slot):
    long = slot(unit_price="9999999.99", until=None, on_sale=False, regular=None, promotion=None)
    marks = {mark.area: mark.state for mark in draw(face(long, panel=Panel(300, 60))).marks}
    assert marks["unit-price"] == "left out"
    without = msgspec.structs.replace(long, unit_price=None)
    assert render(face(long, panel=Panel(300, 60))).pixels == render(face(without, panel=Panel(300, 60))).pixels


GOLDEN = {
    "296x128-BWR": "7052652e1fdab446",
    "400x300-BWR": "70be40b948566e3c",
}


@pytest.mark.parametrize("panel", [Panel(296, 128), Panel(400, 300)], ids=lambda panel: panel.name)
def test_the_same_face_gives_the_same_bytes_as_ever(face, slot, panel):
    """Other pixels for the same face: look at them, raise RENDERER_VERSION, and renew the digest here."""
    assert _sha(render(face(slot(), panel=panel))) == GOLDEN[panel.name]


def _sha(frame):
    return hashlib.sha256(frame.pixels).hexdigest()[:16]


def test_another_process_gives_the_same_bytes(face, slot):
    program = (
        "import sys, hashlib, msgspec\n"
        "from service.core.faces import Face\n"
        "from service.rendering import render\n"
        "from service.rendering.shipped import shipped\n"
        "face = msgspec.json.decode(sys.stdin.buffer.read(), type=Face)\n"
        "print(hashlib.sha256(render(face, shipped(face.template)).pixels).hexdigest()[:16])\n"
    )
    mixed = face(slot(name="Milk חלב 3% حليب لتر 牛乳 نسخة"))
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=msgspec.json.encode(mixed),
        env=environment,
        capture_output=True,
        check=True,
    )
    assert answer.stdout.decode().strip() == _sha(render(mixed))


def test_the_cache_draws_a_face_once(face, slot):
    cache = FrameCache()
    first = cached(cache, "a", face(slot()))
    assert cached(cache, "a", face(slot())) is first


def test_the_cache_forgets_the_least_recently_used_beyond_its_bytes(face, slot):
    one, size = face(slot()), 296 * 128
    cache = FrameCache(most_bytes=2 * size)
    a, b = cached(cache, "a", one), cached(cache, "b", one)
    assert cached(cache, "a", one) is a
    cached(cache, "c", one)
    assert cached(cache, "a", one) is a
    assert cached(cache, "b", one) is not b


def test_a_frame_larger_than_the_cache_is_drawn_and_not_kept(face, slot):
    cache = FrameCache(most_bytes=100)
    first = cached(cache, "a", face(slot()))
    assert cached(cache, "a", face(slot())) is not first


def test_threads_share_the_cache(face, slot):
    cache, wanted = FrameCache(most_bytes=5 * 296 * 128), [face(slot(name=str(n))) for n in range(10)]
    wrong = []

    def draw():
        wrong.extend(one for one in wanted * 3 if cached(cache, digest(one), one) != render(one))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_more_products_than_pixels_are_drawn_as_far_as_they_go(face, slot):
    assert len(render(face(slot(), slot(), panel=Panel(1, 1))).pixels) == 1
