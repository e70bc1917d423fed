import pytest
from hypothesis import given
from hypothesis import strategies as st

from display_drivers.base import Frame, Panel
from display_drivers.errors import FrameRefusedError
from display_drivers.planes import planes_of

PALETTES = ["BW", "BWR", "BWY", "BWRY"]


@st.composite
def frames(draw):
    panel = Panel(draw(st.integers(1, 40)), draw(st.integers(1, 12)), draw(st.sampled_from(PALETTES)))
    size = panel.width * panel.height
    pixels = draw(st.lists(st.integers(0, len(panel.palette) - 1), min_size=size, max_size=size))
    return Frame(panel, bytes(pixels))


def bit(planes: list[bytes], panel: Panel, x: int, y: int) -> int:
    """The index at a pixel, read as hardware reads it: bit by bit."""
    stride = -(-panel.width // 8)
    return sum((plane[y * stride + x // 8] >> 7 - x % 8 & 1) << number for number, plane in enumerate(planes))


@given(frames(), st.randoms(use_true_random=False))
def test_each_pixel_is_its_ink_in_the_order_that_the_hardware_counts(frame, random):
    panel = frame.panel
    order = "".join(random.sample(panel.palette, len(panel.palette)))
    for counted in (None, order):
        planes = planes_of(frame, counted)
        assert [len(plane) for plane in planes] == [-(-panel.width // 8) * panel.height] * len(planes)
        inks = [
            (counted or panel.palette)[bit(planes, panel, x, y)]
            for y in range(panel.height)
            for x in range(panel.width)
        ]
        assert inks == [panel.palette[pixel] for pixel in frame.pixels]


@pytest.mark.parametrize(
    ("palette", "order", "planes"),
    [
        ("BW", None, [b"\x40"]),
        ("BWR", None, [b"\x40", b"\x20"]),
        ("BWR", "WBR", [b"\x80", b"\x20"]),
        ("BWRY", "WBYR", [b"\xa0", b"\x30"]),
    ],
)
def test_planes_are_those_that_panels_take(palette, order, planes):
    """A pixel of each ink, in the order of the palette: the first is the most significant bit."""
    frame = Frame(Panel(len(palette), 1, palette), bytes(range(len(palette))))
    assert planes_of(frame, order) == planes


def test_what_is_no_frame_or_no_order_is_refused():
    with pytest.raises(FrameRefusedError, match="do not fill"):
        planes_of(Frame(Panel(8, 1, "BW"), b"\0"))
    with pytest.raises(FrameRefusedError, match="beyond the inks"):
        planes_of(Frame(Panel(1, 1, "BW"), b"\2"))
    with pytest.raises(ValueError, match="cannot be counted"):
        planes_of(Frame(Panel(1, 1, "BWR"), b"\0"), "WBY")
