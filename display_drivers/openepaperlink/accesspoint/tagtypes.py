"""Tag types: what panel a hwType stands for. The numbers are facts; the files built from them are our own."""

from typing import Any

import msgspec

INKS = {"W": (255, 255, 255), "K": (0, 0, 0), "R": (255, 0, 0), "Y": (255, 255, 0)}
_NAMES = {"W": "white", "K": "black", "R": "red", "Y": "yellow"}


class TagType(msgspec.Struct, frozen=True):
    """One panel.

    Attributes:
        width: As the shopper sees it, like `height`; the size of the JPEG to send.
        rotatebuffer: How the panel's memory is turned against that, in quarter turns.
        bpp: 1 and 2: bit planes; 3, 4 and 5: packed indices.
        colours: A letter each, in the order of palette indices.
        zlib: Tag firmware from which payloads are compressed; None: never.
    """

    hw_type: int
    name: str
    width: int
    height: int
    rotatebuffer: int
    bpp: int
    colours: str
    zlib: int | None = None

    @property
    def path(self) -> str:
        return type_path(self.hw_type)

    def to_file(self) -> bytes:
        """As `/tagtypes/XX.json` has it."""
        fields: dict[str, Any] = {
            "version": 1,
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "rotatebuffer": self.rotatebuffer,
            "bpp": self.bpp,
            "shortlut": 0,
            "colortable": {_NAMES[letter]: INKS[letter] for letter in self.colours},
            "colors": len(self.colours),
            "contentids": [22, 23, 24, 25],
        }
        if self.zlib is not None:
            fields["zlib_compression"] = f"{self.zlib:x}"
        return msgspec.json.encode(fields)


def type_path(hw_type: int) -> str:
    return f"/tagtypes/{hw_type:02X}.json"


_TABLE: list[tuple[int, str, int, int, int, int, str, int | None]] = [
    (0x00, 'M2 1.54"', 152, 152, 0, 2, "WKR", None),
    (0x01, 'M2 2.9"', 296, 128, 1, 2, "WKR", None),
    (0x02, 'M2 4.2"', 400, 300, 0, 2, "WKR", None),
    (0x03, 'M2 2.2"', 212, 104, 1, 2, "WKR", None),
    (0x04, 'M2 2.6"', 296, 152, 1, 2, "WKR", None),
    (0x05, 'M2 7.4"', 640, 384, 0, 2, "WKR", 27),
    (0x11, 'M2 2.9" UC8151', 296, 128, 1, 2, "WKR", None),
    (0x22, 'M2 2.7"', 264, 176, 1, 2, "WKR", None),
    (0x26, 'M2 7.5" BW', 640, 384, 0, 1, "WK", 27),
    (0x27, 'GM29MT1 2.9" BW', 296, 128, 1, 1, "WK", None),
    (0x30, 'M3 1.6"', 200, 200, 0, 2, "WKR", 27),
    (0x31, 'M3 2.2"', 296, 160, 3, 2, "WKR", 27),
    (0x32, 'M3 2.6"', 360, 184, 3, 2, "WKR", 27),
    (0x33, 'M3 2.9"', 384, 168, 3, 2, "WKR", 27),
    (0x34, 'M3 4.2"', 400, 300, 0, 2, "WKR", 27),
    (0x35, 'M3 6.0"', 600, 448, 0, 2, "WKR", 27),
    (0x36, 'M3 7.5"', 800, 480, 0, 2, "WKR", 27),
    (0x2B, 'M3 2.9" BWRY', 384, 168, 3, 2, "WKRY", 27),
    (0x2E, 'M3 9.7"', 960, 672, 2, 2, "WKR", 27),
    (0x2F, 'M3 4.3"', 522, 152, 3, 2, "WKR", 27),
    (0x4B, 'M3 2.2" BWRY', 296, 160, 3, 2, "WKRY", 27),
    (0x60, 'Nebular 3.5" BWY', 384, 184, 1, 2, "WKY", 27),
    (0x82, 'Chroma 2.9"', 296, 128, 1, 2, "WKR", None),
    (0x83, 'Chroma 4.2"', 400, 300, 0, 2, "WKR", None),
    (0xB1, 'BLE 2.13"', 250, 128, 3, 2, "WKR", None),
    # The one type of packed indices; its order of inks is its own.
    (0xBB, 'BLE 2.9" BWRY', 296, 128, 1, 5, "KWYR", None),
]

TAG_TYPES = {row[0]: TagType(*row) for row in _TABLE}


class TypeFile(msgspec.Struct, rename={"zlib": "zlib_compression"}):
    """What the access point reads of a type file, whoever put it there."""

    width: int = 0
    height: int = 0
    rotatebuffer: int = 0
    bpp: int = 0
    colortable: dict[str, tuple[int, int, int]] = {}
    zlib: str = ""

    @property
    def zlib_from(self) -> int | None:
        return int(self.zlib, 16) if self.zlib else None


def read_type(data: bytes) -> TypeFile | None:
    """None: the file cannot be used."""
    try:
        found = msgspec.json.decode(data, type=TypeFile, strict=False)
    except (msgspec.DecodeError, ValueError):
        return None
    return found if found.bpp and found.colortable else None
