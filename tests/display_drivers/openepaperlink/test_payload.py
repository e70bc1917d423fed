"""What an access point makes of a frame, by vectors that were made by another model of it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from display_drivers.base import Frame, Panel
from display_drivers.errors import FrameRefusedError
from display_drivers.openepaperlink import payload
from display_drivers.openepaperlink.tagtypes import KNOWN, TagType, from_file


def golden(kind: TagType) -> Frame:
    """White; a black block at the top left; the first colour in the corner at the bottom right."""
    panel = kind.panel
    assert panel is not None
    pixels = bytearray(b"\1" * (panel.width * panel.height))
    for y in range(2):
        pixels[y * panel.width : y * panel.width + 16] = bytes(16)
    if len(panel.palette) > 2:
        for y in range(panel.height - 8, panel.height):
            pixels[(y + 1) * panel.width - 8 : (y + 1) * panel.width] = b"\2" * 8
    return Frame(panel, bytes(pixels))


@pytest.mark.parametrize(
    ("number", "size", "first", "second", "digest"),
    [
        (0x00, 5776, (0, 0xFF), (2754, 0xFF), "3eab699a13fe45d0"),
        (0x01, 9472, (4480, 0xC0), (15, 0xFF), "bddd1ddc8b70f5d1"),
        (0x27, 4736, (4480, 0xC0), None, "7c880dd372adf756"),
        (0x36, 96000, (0, 0xFF), (47299, 0xFF), "051bf082cd35a179"),
        (0xB1, 8000, (15, 0x03), (3872, 0xFF), "1fb9a0c856b630e0"),
    ],
)
def test_the_payload_is_predicted_to_the_last_bit(number, size, first, second, digest):
    kind = KNOWN[number]
    planes = payload.planes(golden(kind), kind)
    assert sum(map(len, planes)) == size
    for plane, wanted in zip(planes, (first, second), strict=False):
        at = next(index for index, byte in enumerate(plane) if byte)
        assert (at, plane[at]) == wanted
    assert payload.predicted(golden(kind), kind) == digest


@pytest.mark.parametrize("number", sorted(KNOWN))
def test_a_frame_is_known_again_in_whatever_form_it_travelled(number):
    kind = KNOWN[number]
    frame = golden(kind)
    raw = b"".join(payload.planes(frame, kind))
    assert payload.fingerprint_of(raw, kind) == payload.fingerprint(frame, kind)
    body = bytes([6]) + struct.pack("<HH", kind.width, kind.height) + bytes([2]) + raw
    packer = zlib.compressobj(9, zlib.DEFLATED, 12)
    packed = struct.pack("<I", len(body)) + packer.compress(body) + packer.flush()
    assert payload.fingerprint_of(packed, kind) == payload.fingerprint(frame, kind)
    assert payload.fingerprint_of(b"\6" + raw, kind) is None


def test_a_second_plane_that_is_empty_is_as_good_as_none():
    kind = KNOWN[0x00]
    black = Frame(Panel(152, 152, "BW"), golden(kind).pixels.replace(b"\2", b"\0"))
    (only,) = payload.planes(black, kind)
    assert payload.fingerprint_of(only + bytes(len(only)), kind) == payload.fingerprint(black, kind)


def test_the_picture_has_pure_colours_and_whole_chroma():
    kind = KNOWN[0x2B]
    picture = Image.open(io.BytesIO(payload.jpeg(golden(kind))))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (384, 168))
    assert picture.layer[0][1:3] == picture.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("panel", "words"),
    [(Panel(296, 127), "296 x 128 pixels"), (Panel(128, 296), "not 128 x 296"), (Panel(296, 128, "BWY"), "not BWY")],
)
def test_a_frame_of_another_size_or_other_inks_never_leaves(panel, words):
    frame = Frame(panel, b"\1" * (panel.width * panel.height))
    with pytest.raises(FrameRefusedError, match=words):
        payload.check(frame, KNOWN[0x01])


def test_a_tag_type_is_read_as_the_access_point_has_it():
    file = b"""{"version": 4, "name": "M2 2.9", "width": 296, "height": 128, "rotatebuffer": 1, "bpp": 2,
        "colortable": {"white": [255,255,255], "black": [0,0,0], "red": [255,0,0]}, "g5_compression": "29"}"""
    assert from_file(file) == KNOWN[0x01]


@pytest.mark.parametrize(
    "file", [b"", b"{}", b'{"width": 0, "height": 0, "bpp": 1, "colortable": {}}', b'{"width": "x"}']
)
def test_what_is_no_tag_type_is_refused(file):
    with pytest.raises(ValueError, match=r"Expected|Input|missing|no size"):
        from_file(file)


def test_inks_that_no_palette_has_make_no_panel():
    assert TagType(10, 10, 0, "WKRGB").panel is None
