"""A simulated tag: what it holds, what is on its glass, when it wakes."""

import hashlib
import struct
import zlib

import msgspec
from PIL import Image

from display_drivers.openepaperlink.accesspoint.rendering import DataType, seen
from display_drivers.openepaperlink.accesspoint.tagtypes import TAG_TYPES, TagType

_SLOTS = 4  # images in a tag's flash
_PACKED = 5  # bpp of packed two-bit indices
FIRST_BOOT = 0xFC


class NewTag(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A tag to put up. `slot`: bytes of its flash slot, None: any size fits; `adopted`: the AP knows it at once."""

    mac: str
    hw_type: int = 1
    check_in: float | None = None
    refresh: float | None = None
    battery: int = 2900
    slot: int | None = None
    ver: int = 26
    adopted: bool = False


class Stored(msgspec.Struct, frozen=True):
    """A payload in the tag's flash."""

    data_type: int
    data_ver: str
    data: bytes

    @property
    def md5(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


class Glass(msgspec.Struct, frozen=True):
    """What a shopper saw from time `at` on, a letter a pixel."""

    width: int
    height: int
    colours: str
    at: float
    md5: str


class Tag:
    """One tag; times are virtual. The air moves it, it does nothing by itself."""

    def __init__(self, new: NewTag, mac: str, check_in: float, refresh: float) -> None:
        self.mac = mac
        self.hw_type = new.hw_type
        self.check_in, self.refresh = check_in, refresh
        self.battery, self.slot, self.ver = new.battery, new.slot, new.ver
        self.wakeup_reason = FIRST_BOOT
        self.next_long = 0.0
        self.plan = 0  # number of the planned wake-up; an older plan is void
        self.life = 0  # grows when the tag is replaced or removed
        self.misses = 0
        self.absent = self.never_shows = self.asleep = False
        self.transfers = self.refreshes = 0
        self.stored: dict[str, Stored] = {}
        self.shown: Stored | None = None
        self.history: list[Glass] = []

    @property
    def type(self) -> TagType | None:
        return TAG_TYPES.get(self.hw_type)

    def takes(self, data_type: int, size: int) -> bool:
        """Whether its firmware knows the format; what it does not know, it does not answer (X9, X4)."""
        kind = self.type
        if kind is None or -(-size // 4096) > 255:  # noqa: PLR2004 - blocks are counted in eight bits
            return False
        formats = {DataType.ONE_PLANE, DataType.TWO_PLANES, DataType.COMMAND}
        formats |= {DataType.ZLIB} if kind.zlib is not None and self.ver >= kind.zlib else set()
        formats |= {3: {DataType.THREE_BITS}, 4: {DataType.FOUR_BITS}}.get(kind.bpp, set())
        return data_type in formats

    def store(self, image: Stored) -> None:
        self.stored.pop(image.data_ver, None)
        self.stored[image.data_ver] = image
        while len(self.stored) > _SLOTS:
            del self.stored[next(iter(self.stored))]

    def show(self, image: Stored, at: float) -> None:
        """The refresh is over."""
        self.shown = image
        self.refreshes += 1
        self.history.append(self._glass(image, at))

    def replace(self, hw_type: int) -> None:
        """Another device with the same address: its glass is empty and it boots."""
        self.hw_type = hw_type
        self.life += 1
        self.shown, self.stored = None, {}
        self.wakeup_reason = FIRST_BOOT

    def _glass(self, image: Stored, at: float) -> Glass:
        kind = self.type
        if kind is None:
            return Glass(0, 0, "", at, image.md5)
        return Glass(kind.width, kind.height, _colours(image, kind), at, image.md5)


def _colours(image: Stored, kind: TagType) -> str:
    """A letter a pixel, row by row as the shopper sees it."""
    odd = kind.rotatebuffer % 2 == 1
    size = (kind.height, kind.width) if odd else (kind.width, kind.height)
    data = _inflated(image.data) if image.data_type == DataType.ZLIB else image.data
    if kind.bpp == _PACKED:
        memory = _unpacked(data, size)
    else:
        memory = _unplaned(data, size, 2 if image.data_type != DataType.ONE_PLANE else 1)
    indices = seen(memory, kind.rotatebuffer).tobytes()
    letters = bytes(ord((kind.colours + "????")[index]) for index in range(4))
    return indices.translate(letters + bytes(252)).decode()


def _inflated(data: bytes) -> bytes:
    plain = zlib.decompress(data[4:])
    (length,) = struct.unpack_from("<I", data)
    return plain[plain[0] : length]


def _unplaned(data: bytes, size: tuple[int, int], planes: int) -> Image.Image:
    """Indices from bit planes. What is missing of them stays background, as on a panel that got too little."""
    length = (size[0] * size[1] + 7) // 8
    data = data.ljust(length * 2, b"\0")
    first = Image.frombytes("1", size, data[:length]).convert("L").tobytes()
    second = Image.frombytes("1", size, data[length : length * 2]).convert("L").tobytes()
    if planes == 1:
        second = bytes(len(first))
    indices = bytes([(1 if one else 0) | (2 if two else 0) for one, two in zip(first, second, strict=True)])
    return Image.frombytes("L", size, indices)


def _unpacked(data: bytes, size: tuple[int, int]) -> Image.Image:
    count = size[0] * size[1]
    indices = bytes([byte >> shift & 3 for byte in data for shift in (6, 4, 2, 0)])
    return Image.frombytes("L", size, indices[:count].ljust(count, b"\0"))
