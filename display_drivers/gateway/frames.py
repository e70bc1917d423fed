"""Frames as they travel: the bit planes of `display_drivers.planes`, in the order of the panel's palette, deflated.

Plane 0 first, they are compressed together in the zlib format (RFC 1950), whose checksum tells a damaged frame from a
whole one.
"""

import hashlib
import zlib

import msgspec

from display_drivers.base import Data, Frame, Panel
from display_drivers.errors import FrameRefusedError
from display_drivers.planes import ones_of, plane_count, planes_of

_LEVEL = 1  # level 6 saves an eighth of the bytes, which only cross the wire, and takes three times as long


def packed_size(panel: Panel) -> int:
    """Bytes of the panel's planes before compression."""
    return plane_count(panel) * -(-panel.width // 8) * panel.height


def planes(frame: Frame) -> bytes:
    """The bit planes, one after the other; raises FrameRefusedError if the pixels do not fit the panel."""
    return b"".join(planes_of(frame))


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
    padded, ones = bytearray(size * 8), ones_of(size)
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
