"""From a JPEG to the bytes a tag gets: colours, orientation, planes (reference, section 3; rules P3 to P5)."""

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum

import msgspec
from PIL import Image, ImageDraw, UnidentifiedImageError

from display_drivers.openepaperlink.accesspoint.tagtypes import TypeFile

Colour = tuple[int, int, int]
_WEIGHTS = (3.0, 5.47, 1.53)
_GREY = 20  # channels closer than this are no colour
_BURKES = ((1, 0, 8), (2, 0, 4), (-2, 1, 2), (-1, 1, 4), (0, 1, 8), (1, 1, 4), (2, 1, 2))  # in 32nds
_BAYER = (0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5)
_TURNS = {
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}
_PACKED_BITS = {3: 3, 4: 4, 5: 2}


class DataType(IntEnum):
    """What a queued payload is, as the radio names it."""

    ONE_PLANE = 0x20
    TWO_PLANES = 0x21
    THREE_BITS = 0x22
    FOUR_BITS = 0x23
    ZLIB = 0x30
    COMMAND = 0xAF
    NO_UPDATE = 0x00


class Payload(msgspec.Struct, frozen=True):
    """The bytes for the tag and what they are; their version is the start of their MD5."""

    data_type: DataType
    data: bytes

    @property
    def data_ver(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()[:16]


class Look(msgspec.Struct, frozen=True):
    """How the record and the upload want the image drawn. `stamp`: virtual time to draw on it; None: none."""

    rotate: int = 0
    invert: int = 0
    dither: int = 0
    ver: int = 0
    psram: bool = True
    stamp: float | None = None


def decode(data: bytes, *, psram: bool = True) -> Image.Image | None:
    """A baseline JPEG in the colours that the access point's decoder leaves; None: it cannot read it."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if image.info.get("progressive") or image.mode not in {"L", "RGB"}:
                return None
            picture = image.convert("RGB")
    except (OSError, SyntaxError, UnidentifiedImageError, ValueError):
        return None
    masks = (0xF8, 0xFC, 0xF8) if psram else (0xE0, 0xE0, 0xC0)
    return picture.point([value & mask for mask in masks for value in range(256)])


def render(image: Image.Image, kind: TypeFile, look: Look) -> Payload:
    """The payload for a tag of that type. The size is the image's, not the type's: nothing is scaled or checked."""
    if look.stamp is not None:
        words = datetime.fromtimestamp(look.stamp, UTC).strftime("%H:%M:%S")
        ImageDraw.Draw(image).text((0, 0), words, fill=(0, 0, 0))
    indices = _choose(image, list(kind.colortable.values()), look.dither)
    if look.invert:
        indices = indices.translate(bytes([1, 0, *range(2, 256)]))
    buffer = turned(Image.frombytes("L", image.size, indices), kind.rotatebuffer, look.rotate)
    two = any(index > 1 for index in set(indices))
    if kind.bpp in _PACKED_BITS:
        return _packed(buffer, kind.bpp, two=two)
    planes = _plane(buffer, 1) + (_plane(buffer, 2) if two else b"")
    if kind.zlib_from is not None and look.ver >= kind.zlib_from and look.psram:
        return Payload(DataType.ZLIB, _compressed(planes, buffer.size, 2 if two else 1))
    return Payload(DataType.TWO_PLANES if two else DataType.ONE_PLANE, planes)


def _is_grey(colour: Sequence[float]) -> bool:
    return abs(colour[0] - colour[1]) < _GREY and abs(colour[2] - colour[1]) < _GREY


class _Nearest(dict[Colour, int]):
    """Palette index by colour, worked out once a colour: a label has few."""

    def __init__(self, palette: list[Colour]) -> None:
        super().__init__()
        self._all = list(enumerate(palette))
        # A grey pixel never turns red; on a palette without a grey ink there is nothing else to take.
        self._greys = [(index, ink) for index, ink in self._all if _is_grey(ink)] or self._all

    def __missing__(self, colour: Colour) -> int:
        inks = self._greys if _is_grey(colour) else self._all
        index = min(inks, key=lambda ink: _distance(colour, ink[1]))[0]
        self[colour] = index
        return index


def _distance(one: Colour, other: Colour) -> float:
    return sum(w * (a - b) ** 2 for w, a, b in zip(_WEIGHTS, one, other, strict=True))


def _choose(image: Image.Image, palette: list[Colour], dither: int) -> bytes:
    data = image.tobytes()
    pixels = list(zip(data[0::3], data[1::3], data[2::3], strict=True))
    nearest = _Nearest(palette)
    match dither:
        case 1:
            return _burkes(pixels, image.width, palette, nearest)
        case 2:
            return _ordered(pixels, image.width, nearest)
    return bytes([nearest[pixel] for pixel in pixels])


def _burkes(pixels: list[Colour], width: int, palette: list[Colour], nearest: _Nearest) -> bytes:
    """Error diffusion. On pure palette colours there is no error, so nothing changes."""
    errors: dict[int, list[float]] = {}
    chosen = bytearray()
    for at, pixel in enumerate(pixels):
        error = errors.pop(at, None)
        colour = pixel if error is None else _clamped(pixel, error)
        index = nearest[colour]
        chosen.append(index)
        rest = [have - want for have, want in zip(colour, palette[index], strict=True)]
        if any(abs(each) > 8 for each in rest):  # noqa: PLR2004 - less is what the decoder's five bits leave
            _spread(errors, at, width, rest)
    return bytes(chosen)


def _spread(errors: dict[int, list[float]], at: int, width: int, rest: Sequence[float]) -> None:
    column = at % width
    for right, down, share in _BURKES:
        if 0 <= column + right < width:
            target = errors.setdefault(at + right + down * width, [0.0, 0.0, 0.0])
            for channel in range(3):
                target[channel] += rest[channel] * share / 32


def _clamped(pixel: Colour, error: Sequence[float]) -> Colour:
    red, green, blue = (min(255, max(0, round(have + add))) for have, add in zip(pixel, error, strict=True))
    return red, green, blue


def _ordered(pixels: list[Colour], width: int, nearest: _Nearest) -> bytes:
    offsets = [(step / 16 - 0.5) * 64 for step in _BAYER]
    return bytes(
        nearest[_clamped(pixel, [offsets[at // width % 4 * 4 + at % width % 4]] * 3)] for at, pixel in enumerate(pixels)
    )


def turned(image: Image.Image, rotatebuffer: int, rotate: int = 0) -> Image.Image:
    """The panel's memory, one index a pixel, from what the shopper sees."""
    width, height = image.size
    odd = rotatebuffer % 2 == 1
    size = (height, width) if odd else (width, height)
    turn = (rotate + (rotatebuffer + 2 if odd else rotatebuffer)) % 4
    fits = (turn % 2 == 1) == odd or width == height
    return _transposed(image, turn) if fits else _read_outside(image, turn, size)


def seen(image: Image.Image, rotatebuffer: int) -> Image.Image:
    """What the shopper sees, from the panel's memory."""
    odd = rotatebuffer % 2 == 1
    return _transposed(image, -(rotatebuffer + 2 if odd else rotatebuffer) % 4)


def _transposed(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_TURNS[turn]) if turn else image


def _read_outside(image: Image.Image, turn: int, size: tuple[int, int]) -> Image.Image:
    """A turn whose reads leave the image. What is there is not known; we take index 0, the background."""
    wide, high = size
    buffer = Image.new("L", size)
    for y in range(high):
        for x in range(wide):
            source = {0: (x, y), 1: (y, wide - 1 - x), 2: (wide - 1 - x, high - 1 - y), 3: (high - 1 - y, x)}[turn]
            if 0 <= source[0] < image.width and 0 <= source[1] < image.height:
                value = image.getpixel(source)
                buffer.putpixel((x, y), int(value) if isinstance(value, int | float) else 0)
    return buffer


def _plane(buffer: Image.Image, bit: int) -> bytes:
    """One bit a pixel, most significant first; a pixel's bit is set if its index has `bit`."""
    if buffer.width % 8 == 0:
        return buffer.point([255 if index & bit else 0 for index in range(256)], "1").tobytes()
    plane = bytearray((buffer.width * buffer.height + 7) // 8)
    for at, index in enumerate(buffer.tobytes()):
        if index & bit:
            # By the rule the byte counts through all rows while the bit counts in this one: odd widths overlap.
            plane[at // 8] |= 0x80 >> (at % buffer.width % 8)
    return bytes(plane)


def _packed(buffer: Image.Image, bpp: int, *, two: bool) -> Payload:
    bits = _PACKED_BITS[bpp]
    digits = "".join([f"{index:0{bits}b}" for index in buffer.tobytes()])
    size = (len(digits) + 7) // 8
    data = int(digits.ljust(size * 8, "0"), 2).to_bytes(size, "big")
    kinds = {3: DataType.THREE_BITS, 4: DataType.FOUR_BITS}
    return Payload(kinds.get(bpp, DataType.TWO_PLANES if two else DataType.ONE_PLANE), data)


def _compressed(planes: bytes, size: tuple[int, int], count: int) -> bytes:
    plain = struct.pack("<BHHB", 6, *size, count) + planes
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 12)
    return struct.pack("<I", len(plain)) + squeeze.compress(plain) + squeeze.flush()
