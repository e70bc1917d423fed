"""Pictures that anybody may have made."""

import io
import struct
import sys
import zlib

import pytest
from PIL import Image

from display_drivers.base import Panel
from service.core.faces import plan_face
from service.core.product import Product, StoreFacts
from service.core.templates import Bundle, Template
from service.rendering import draw
from service.rendering.images import ImageError, in_inks
from service.rendering.lint import lint

HEAD = 'format = 1\nversion = 1\n[[shape]]\nname = "any"\n'
PRICE = '[area.price]\nkind = "price"\nbox.any = [0, 50, 100, 100]\n'
NAME = '[area.name]\nkind = "text"\ntext = "{name}"\nbox.any = [50, 0, 100, 50]\n'


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def with_picture(data: bytes, keys: str = "") -> Template:
    area = f'[area.logo]\nkind = "image"\nfile = "logo.png"\nbox.any = [0, 0, 50, 50]\n{keys}'
    return Template(Bundle("own", {"own": HEAD + PRICE + NAME + area}, {"logo.png": data}))


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


HOSTILE = {
    "a bomb": bomb(60_000, 60_000),
    "a bomb that Pillow would only warn of": bomb(11_000, 11_000),
    "large": bomb(3000, 2000),
    "cut off": encoded(Image.new("RGB", (50, 50)))[:60],
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "an SVG with a prolog": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "http://127.0.0.1/">]><svg/>',
    "a PDF": b"%PDF-1.7",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "TIFF": encoded(Image.new("RGB", (9, 9)), "TIFF"),
    "nothing": b"",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_picture_is_an_error_before_it_is_on_a_shelf(data: bytes):
    (finding,) = (finding for finding in lint(with_picture(data)) if finding.level == "error")
    assert (finding.file, finding.line, finding.area) == ("own.toml", 12, "logo")
    assert finding.text.startswith("logo.png: ")
    with pytest.raises(ImageError):
        in_inks(data, "BWR", (50, 50), photo=False)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_becomes_the_panels_inks(kind: str):
    picture = Image.new("RGB", (80, 40), (250, 250, 250))
    picture.paste((10, 10, 10), (0, 0, 40, 40))
    image, mask = in_inks(encoded(picture, kind), "BWR", (40, 40), photo=False)
    assert (image.size, set(mask.tobytes()) - {0xFF}) == ((40, 20), set())
    assert [image.getpixel((x, 10)) for x in (5, 35)] == [0, 1]


@pytest.mark.parametrize(("palette", "ink"), [("BWR", 2), ("BWY", 2), ("BWRY", 3)])
def test_a_colour_is_the_nearest_ink(palette, ink: int):
    colour = (255, 220, 0) if "Y" in palette else (220, 0, 30)
    image, _ = in_inks(encoded(Image.new("RGB", (8, 8), colour)), palette, (8, 8), photo=False)
    assert set(image.tobytes()) == {ink}


def test_what_is_transparent_shows_the_paper():
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 20, 40))
    text = '[area.under]\nkind = "box"\npaper = "accent"\nbox.any = [0, 0, 100, 100]\n'
    area = '[area.logo]\nkind = "image"\nfile = "logo.png"\nbox.any = [0, 0, 100, 100]\n'
    template = Template(Bundle("own", {"own": HEAD + text + area}, {"logo.png": encoded(picture)}))
    face = plan_face({0: Product("1")}, Panel(40, 40), template, StoreFacts(), 0)
    assert face is not None
    pixels = draw(face, template).frame.pixels
    assert (pixels[20 * 40 + 5], pixels[20 * 40 + 35]) == (0, 2)


def test_a_photo_is_dithered_and_nothing_else_is():
    grey = encoded(Image.linear_gradient("L").resize((64, 64)))
    plain, _ = in_inks(grey, "BW", (64, 64), photo=False)
    photo, _ = in_inks(grey, "BW", (64, 64), photo=True)
    rows = [plain.tobytes()[start : start + 64] for start in range(0, 64 * 64, 64)]
    assert all(len(set(row)) == 1 for row in rows)
    mixed = photo.tobytes()[32 * 64 : 33 * 64]
    assert set(mixed) == {0, 1}


def test_a_photo_without_the_extra_is_an_error_with_the_mend(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "epaper_dithering", None)
    template = with_picture(encoded(Image.new("RGB", (9, 9), (7, 7, 7))), "photo = true\n")
    (finding,) = (finding for finding in lint(template) if finding.level == "error")
    assert 'pip install "shelfcast[photos]"' in finding.text
