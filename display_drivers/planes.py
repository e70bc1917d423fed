"""Frames as bit planes, which most panels and gateways take.

A pixel is an index into a palette: its panel's own, or the order in which the hardware counts its inks. Plane 0 holds
the low bit of every pixel, plane 1 (more than two inks only) the high bit. In a plane, rows go from the top, pixels
from the left, eight to a byte with the most significant bit leftmost, each row filled up with zeros to a whole byte.

All pixels that sit at the same place of their byte are handled at once, as one big integer: 0.1 ms for a 296x128 frame.
"""

from display_drivers.base import Frame, Panel
from display_drivers.errors import FrameRefusedError


def plane_count(panel: Panel) -> int:
    return 1 if len(panel.palette) == 2 else 2  # noqa: PLR2004 - two inks fit one bit


def planes_of(frame: Frame, order: str | None = None) -> list[bytes]:
    """The planes, plane 0 first. `order`: the inks as the hardware counts them, such as `WBR`; by default the panel's.

    Raises FrameRefusedError if the pixels do not fit the panel, ValueError if the order has other inks.
    """
    panel, pixels = frame.panel, frame.pixels
    if len(pixels) != panel.width * panel.height:
        raise FrameRefusedError(f"{len(pixels)} pixels do not fill a panel of {panel.name}.")
    if pixels.translate(None, bytes(range(len(panel.palette)))):
        raise FrameRefusedError(f"A pixel is beyond the inks of {panel.palette}.")
    if order is not None:
        pixels = pixels.translate(_counted(panel.palette, order))
    padded = _each_row(pixels, panel.width, bytes(-panel.width % 8))
    ones = ones_of(len(padded) // 8)
    eighths = [int.from_bytes(padded[place::8], "big") for place in range(8)]
    return [_plane(eighths, bit, ones).to_bytes(len(padded) // 8, "big") for bit in range(plane_count(panel))]


def _counted(palette: str, order: str) -> bytes:
    """The panel's index of each ink -> the hardware's."""
    if sorted(palette) != sorted(order):
        raise ValueError(f"The inks of {palette} cannot be counted as {order}.")
    return bytes(map(order.index, palette)).ljust(256, b"\0")


def _plane(eighths: list[int], bit: int, ones: int) -> int:
    return sum((eighth >> bit & ones) << 7 - place for place, eighth in enumerate(eighths))


def ones_of(count: int) -> int:
    """A 1 in each of so many bytes."""
    return int.from_bytes(b"\1" * count, "big")


def _each_row(pixels: bytes, width: int, padding: bytes) -> bytes:
    """Rows of `width` bytes, with the padding after each."""
    if not padding:
        return pixels
    return b"".join(pixels[start : start + width] + padding for start in range(0, len(pixels), width))
