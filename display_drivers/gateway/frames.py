"""Frames as they travel: deflated bit planes.

A pixel is an index into its panel's palette. Plane 0 holds the low bit of every pixel, plane 1 (palettes of more than
two inks only) the high bit. In a plane, rows go from the top, pixels from the left, eight to a byte with the most
significant bit leftmost, each row filled up with zero bits to a whole byte. The planes, plane 0 first, are compressed
together in the zlib format (RFC 1950), whose checksum tells a damaged frame from a whole one.

All pixels that sit at the same place of their byte are handled at once, as one big integer: 0.1 ms for a 296x128 frame.
"""

import hashlib
import zlib

import msgspec

from display_drivers.base import Data, Frame, Panel
from display_drivers.errors import FrameRefusedError

_LEVEL = 1  # level 6 saves an eighth of the bytes, which only cross the wire, and takes three times as long


def plane_count(panel: Panel) -> int:
    return 1 if len(panel.palette) == 2 else 2  # noqa: PLR2004 - two inks fit one bit


def packed_size(panel: Panel) -> int:
    """Bytes of the panel's planes before compression."""
    return plane_count(panel) * -(-panel.width // 8) * panel.height


def planes(frame: Frame) -> bytes:
    """The bit planes; raises FrameRefusedError if the pixels do not fit the panel."""
    panel, pixels = frame.panel, frame.pixels
    if len(pixels) != panel.width * panel.height:
        raise FrameRefusedError(f"{len(pixels)} pixels do not fill a panel of {panel.name}.")
    if pixels.translate(None, bytes(range(len(panel.palette)))):
        raise FrameRefusedError(f"A pixel is beyond the inks of {panel.palette}.")
    padded = _each_row(pixels, panel.width, bytes(-panel.width % 8))
    ones = _ones(len(padded) // 8)
    eighths = [int.from_bytes(padded[place::8], "big") for place in range(8)]
    return b"".join(_plane(eighths, bit, ones).to_bytes(len(padded) // 8, "big") for bit in range(plane_count(panel)))


def _plane(eighths: list[int], bit: int, ones: int) -> int:
    return sum((eighth >> bit & ones) << 7 - place for place, eighth in enumerate(eighths))


def _ones(count: int) -> int:
    """A 1 in each of so many bytes."""
    return int.from_bytes(b"\1" * count, "big")


def _each_row(pixels: bytes, width: int, padding: bytes) -> bytes:
    """Rows of `width` bytes, with the padding after each."""
    if not padding:
        return pixels
    return b"".join(pixels[start : start + width] + padding for start in range(0, len(pixels), width))


def pack(frame: Frame) -> bytes:
    return zlib.compress(planes(frame), _LEVEL)


def inflate(panel: Panel, packed: bytes) -> bytes:
    """The checked planes of a packed frame, never expanding beyond the panel's size; raises FrameRefusedError."""
    size = packed_size(panel)
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise FrameRefusedError(f"The frame cannot be decompressed: {error}.") from error
    if len(raw) != size or not inflater.eof:
        raise FrameRefusedError(f"The frame does not expand to the {size} bytes of {panel.name}.")
    if len(panel.palette) == 3 and _both_bits(raw):  # noqa: PLR2004 - three inks leave the index 3 without one
        raise FrameRefusedError(f"A pixel is beyond the inks of {panel.palette}.")
    return raw


def _both_bits(raw: bytes) -> int:
    half = len(raw) // 2
    return int.from_bytes(raw[:half], "big") & int.from_bytes(raw[half:], "big")


def unpack(panel: Panel, packed: bytes) -> Frame:
    """The frame that was packed; raises FrameRefusedError."""
    raw = inflate(panel, packed)
    stride = -(-panel.width // 8)
    size = stride * panel.height
    layers = [int.from_bytes(raw[start : start + size], "big") for start in range(0, len(raw), size)]
    padded, ones = bytearray(size * 8), _ones(size)
    for place in range(8):
        eighth = sum((layer >> 7 - place & ones) << bit for bit, layer in enumerate(layers))
        padded[place::8] = eighth.to_bytes(size, "big")
    rows = range(0, len(padded), stride * 8)
    return Frame(panel, b"".join(padded[start : start + panel.width] for start in rows))


def fingerprint(face: Frame | Data) -> str:
    """What two faces have in common exactly when a shopper sees the same: 32 hex digits of a SHA-256.

    Of a frame over its planes, of data over its JSON with sorted keys.
    """
    return hashed(planes(face) if isinstance(face, Frame) else canonical(face.content))


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def canonical(content: object) -> bytes:
    return msgspec.json.encode(content, order="sorted")
