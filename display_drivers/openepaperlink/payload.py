"""Frames as an access point takes them, a JPEG, and as it makes them into a tag's memory, so that both can be compared.

What a tag got is known by its pixels: a fingerprint of the planes, whatever compression they travelled in. The payload
itself, and with it the hash in the tag's record, can be predicted where the model's data is not compressed.
"""

import hashlib
import io
import zlib
from functools import lru_cache

from PIL import Image

from display_drivers.base import Frame
from display_drivers.errors import FrameRefusedError
from display_drivers.openepaperlink.tagtypes import TagType
from display_drivers.planes import planes_of

COLOURS = {"B": (0, 0, 0), "W": (255, 255, 255), "R": (255, 0, 0), "Y": (255, 255, 0)}
_QUALITY = 95
"""With whole chroma, no pixel of pure colours comes out as another ink (a simulation; not confirmed on hardware)."""
_HEADER = 6
"""Bytes before compressed planes: their own number, width and height (both u16, little-endian), planes."""
_MOST = 4 * 1024 * 1024

_TURNS: dict[int, Image.Transpose | None] = {
    0: None,
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}
"""Pillow turns against the clock, the access point with it."""


def check(frame: Frame, kind: TagType) -> None:
    """Raises FrameRefusedError for a frame of another size or other inks than the tag has."""
    if kind.panel is None:
        raise FrameRefusedError(f"This display has inks of which Shelfcast has no palette ({kind.inks or 'none'}).")
    if (frame.panel.width, frame.panel.height) != (kind.width, kind.height):
        raise FrameRefusedError(
            f"The access point says that this display has {kind.width} x {kind.height} pixels, not "
            f"{frame.panel.width} x {frame.panel.height}: it does not scale. Import the display with its panel."
        )
    if set(frame.panel.palette) != set(kind.order[: len(frame.panel.palette)]):
        raise FrameRefusedError(f"The display has the inks {kind.order}, not {frame.panel.palette}.")


def jpeg(frame: Frame) -> bytes:
    """Baseline, RGB, pure colours, no subsampling: nothing for the access point to dither or to guess."""
    panel = frame.panel
    image = Image.frombytes("P", (panel.width, panel.height), frame.pixels)
    image.putpalette([channel for ink in panel.palette for channel in COLOURS[ink]])
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return file.getvalue()


def planes(frame: Frame, kind: TagType) -> list[bytes]:
    """The planes that the access point makes of it: turned as the tag's memory is, an empty second one left out."""
    turned = _in_memory(frame, kind)
    found = planes_of(turned, _order(frame.panel.palette, kind))
    return found[: kind.bpp] if len(found) > 1 and any(found[1]) else found[:1]


def _order(palette: str, kind: TagType) -> str:
    """The panel's own inks as the tag counts them; a panel of fewer inks leaves the last ones unused."""
    return kind.order[: len(palette)]


def _in_memory(frame: Frame, kind: TagType) -> Frame:
    panel = frame.panel
    image = Image.frombytes("L", (panel.width, panel.height), frame.pixels)
    if turn := _TURNS[_rotation(kind)]:
        image = image.transpose(turn)
    width, height = image.size
    return Frame(type(panel)(width, height, panel.palette), image.tobytes())


def _rotation(kind: TagType) -> int:
    """Quarter turns from the picture to the memory."""
    return (3 + kind.turned - 1) % 4 if kind.turned % 2 else kind.turned


def predicted(frame: Frame, kind: TagType) -> str:
    """The first 16 digits of the tag's `hash` once it has this frame, if its payload is not compressed."""
    return digest16(b"".join(planes(frame, kind)))


def digest16(payload: bytes) -> str:
    return hashlib.md5(payload, usedforsecurity=False).hexdigest()[:16]


def fingerprint(frame: Frame, kind: TagType) -> str:
    """What two frames of a tag have in common exactly when it shows the same."""
    return _of_planes(planes(frame, kind), kind)


@lru_cache(maxsize=2048)
def fingerprint_of(payload: bytes, kind: TagType) -> str | None:
    """The same of what the access point keeps of a transfer; None if it cannot be read, as Group 5 cannot."""
    found = _planes_of(payload, kind)
    return None if found is None else _of_planes(found, kind)


def frame_of(payload: bytes, kind: TagType) -> Frame | None:
    """The pixels of what the access point keeps, as the shopper sees them; None if it cannot be read."""
    found = _planes_of(payload, kind)
    if found is None or kind.panel is None:
        return None
    odd = kind.turned % 2
    size = (kind.height, kind.width) if odd else (kind.width, kind.height)
    layers = [Image.frombytes("1", size, plane).convert("L").tobytes() for plane in found]
    indices = (
        layers[0].translate(_LOW) if len(layers) == 1 else bytes(map(_INDEX.__getitem__, zip(*layers, strict=True)))
    )
    image = Image.frombytes("L", size, indices)
    if turn := _TURNS[-_rotation(kind) % 4]:
        image = image.transpose(turn)
    ours = bytes(map(kind.panel.palette.index, kind.order)).ljust(256, b"\0")
    return Frame(kind.panel, image.tobytes().translate(ours))


_LOW = bytes.maketrans(b"\xff", b"\1")
_INDEX = {(0, 0): 0, (255, 0): 1, (0, 255): 2, (255, 255): 3}


def _planes_of(payload: bytes, kind: TagType) -> list[bytes] | None:
    size = kind.width * kind.height // 8
    body: bytes | None = payload
    if len(payload) not in {size, 2 * size}:
        inflated = _inflated(payload)
        body = inflated[_HEADER:] if inflated and len(inflated) in {_HEADER + size, _HEADER + 2 * size} else None
    return None if body is None else [body[start : start + size] for start in range(0, len(body), size)]


def _inflated(payload: bytes) -> bytes | None:
    """Zlib behind its length, never expanded beyond reason."""
    try:
        unpacker = zlib.decompressobj()
        return unpacker.decompress(payload[4:], _MOST)
    except zlib.error:
        return None


def _of_planes(found: list[bytes], kind: TagType) -> str:
    """An empty second plane is as good as none."""
    used = found[:1] if len(found) > 1 and not any(found[1]) else found
    return hashlib.sha256(b"\0".join([kind.inks.encode(), *used])).hexdigest()[:32]
