import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.base import Data, Frame, Panel
from display_drivers.errors import FrameRefusedError
from display_drivers.gateway.frames import fingerprint, inflate, pack, packed_size, planes, unpack

PANELS = st.builds(Panel, st.integers(1, 40), st.integers(1, 12), st.sampled_from(["BW", "BWR", "BWY", "BWRY"]))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    panel = draw(PANELS)
    size, inks = panel.width * panel.height, len(panel.palette)
    return Frame(panel, bytes(draw(st.lists(st.integers(0, inks - 1), min_size=size, max_size=size))))


@given(frames())
def test_a_packed_frame_unpacks_to_itself(frame):
    assert unpack(frame.panel, pack(frame)) == frame


@given(frames())
def test_planes_are_as_the_protocol_writes_them(frame):
    """Bit by bit, from the words of docs/drivers/gateway-protocol.md."""
    panel, stride = frame.panel, (frame.panel.width + 7) // 8
    expected = bytearray(packed_size(panel))
    for y in range(panel.height):
        for x in range(panel.width):
            ink = frame.pixels[y * panel.width + x]
            for plane in range(2 if len(panel.palette) > 2 else 1):
                if ink >> plane & 1:
                    expected[plane * stride * panel.height + y * stride + x // 8] |= 0x80 >> x % 8
    assert planes(frame) == bytes(expected)


def test_the_example_of_the_protocol_page_is_true():
    frame = Frame(Panel(10, 2, "BWR"), bytes([0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 2, 1, 1, 1, 1, 1, 1, 2, 2]))
    assert planes(frame).hex(" ") == "7f 80 3f 00 00 00 c0 c0"
    packed = base64.b64decode("eJyrb7BnYGA4cAAACzoCvw==")
    assert unpack(frame.panel, packed) == frame


@pytest.mark.parametrize(
    ("pixels", "words"),
    [(b"\0" * 79, "79 pixels do not fill"), (b"\0" * 81, "81 pixels do not fill"), (b"\3" * 80, "beyond the inks")],
)
def test_pixels_that_do_not_fit_their_panel_are_refused(pixels, words):
    with pytest.raises(FrameRefusedError, match=words):
        pack(Frame(Panel(10, 8, "BWR"), pixels))


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (b"", "does not expand"),
        (b"not deflated", "cannot be decompressed"),
        (zlib.compress(bytes(31)), "does not expand"),
        (zlib.compress(bytes(33)), "does not expand"),
        (zlib.compress(bytes(50_000_000)), "does not expand"),
        (zlib.compress(bytes(32))[:-1], "does not expand"),
        (zlib.compress(b"\xff" * 32), "beyond the inks"),
    ],
)
def test_a_damaged_frame_is_refused(packed, words):
    with pytest.raises(FrameRefusedError, match=words):
        inflate(Panel(10, 8, "BWR"), packed)


def test_a_fingerprint_depends_on_what_is_seen_and_on_nothing_else():
    panel = Panel(8, 1, "BW")
    one, two = Frame(panel, bytes(8)), Frame(panel, bytes([0, 0, 0, 0, 0, 0, 0, 1]))
    assert fingerprint(one) == fingerprint(unpack(panel, zlib.compress(planes(one), 1)))
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint(Data(panel, {"a": 1, "b": "č"})) == fingerprint(Data(panel, {"b": "č", "a": 1}))
    assert fingerprint(Data(panel, {"a": 1})) != fingerprint(Data(panel, {"a": 2}))
