"""Models of tags: the size, inks and memory of each, by the number that a tag's record calls `hwType`.

Sizes and inks are as an access point's own `/tagtypes/XX.json` has them, which is asked first; the table is for models
that it has no file of. Without that file the access point itself renders nothing.
"""

import msgspec

from display_drivers.base import Palette, Panel

_INKS = {"white": "W", "black": "K", "red": "R", "yellow": "Y"}
_PALETTES: dict[frozenset[str], Palette] = {
    frozenset("WK"): "BW",
    frozenset("WKR"): "BWR",
    frozenset("WKY"): "BWY",
    frozenset("WKRY"): "BWRY",
}


class TagType(msgspec.Struct, frozen=True):
    """A model.

    Attributes:
        width, height: Pixels as the shopper sees it, and as the JPEG has to be.
        turned: `rotatebuffer`: how the panel's memory is turned against that.
        inks: A letter each, in the order of the palette's indices: W white, K black, R red, Y yellow.
        bpp: 1 and 2 are bit planes; others are not predicted.
        zlib: The tag's version from which its payload is compressed by zlib; None for never.
        g5: The same for Group 5, which is not decoded here.
    """

    width: int
    height: int
    turned: int
    inks: str
    bpp: int = 2
    zlib: int | None = None
    g5: int | None = None

    @property
    def panel(self) -> Panel | None:
        """None for a model whose inks we have no palette of."""
        palette = _PALETTES.get(frozenset(self.inks))
        return None if palette is None else Panel(self.width, self.height, palette)

    @property
    def order(self) -> str:
        """The inks in the order of the indices, as palettes of ours name them."""
        return self.inks.replace("K", "B")


class _File(msgspec.Struct):
    """What of a tag type file is read; the access points' own spelling."""

    width: int
    height: int
    rotatebuffer: int = 0
    bpp: int = 0
    colortable: dict[str, list[int]] = {}
    zlib_compression: str | None = None
    g5_compression: str | None = None


def from_file(content: bytes) -> TagType:
    """A model as its file on the access point tells it; raises ValidationError or ValueError for what is none."""
    file = msgspec.json.decode(content, type=_File)
    if not (file.width and file.height and file.bpp):
        raise ValueError("The tag type has no size or no inks.")
    inks = "".join(_INKS.get(name, "?") for name in file.colortable)
    return TagType(
        file.width,
        file.height,
        file.rotatebuffer % 4,
        inks,
        file.bpp,
        _hex(file.zlib_compression),
        _hex(file.g5_compression),
    )


def _hex(version: str | None) -> int | None:
    return int(version, 16) if version else None


def _rows() -> dict[int, TagType]:
    """Number, width, height, turned, bpp, inks, compression. Not confirmed on hardware: read in documents."""
    table = """
        00 152 152 0 2 WKR g29 | 01 296 128 1 2 WKR g29 | 02 400 300 0 2 WKR g29 | 03 212 104 1 2 WKR g29
        04 296 152 1 2 WKR g29 | 05 640 384 0 2 WKR z27 | 11 296 128 1 2 WKR g29 | 22 264 176 1 2 WKR g29
        26 640 384 0 1 WK z27  | 27 296 128 1 1 WK g29  | 30 200 200 0 2 WKR z27 | 31 296 160 3 2 WKR z27
        32 360 184 3 2 WKR z27 | 33 384 168 3 2 WKR z27 | 34 400 300 0 2 WKR z27 | 35 600 448 0 2 WKR z27
        36 800 480 0 2 WKR z27 | 2E 960 672 2 2 WKR z27 | 2F 522 152 3 2 WKR z27 | 2B 384 168 3 2 WKRY z27
        4B 296 160 3 2 WKRY z27 | 60 384 184 1 2 WKY z27 | 82 296 128 1 2 WKR -  | 83 400 300 0 2 WKR -
        B1 250 128 3 2 WKR -
    """
    found = {}
    for entry in " | ".join(table.strip().splitlines()).split("|"):
        number, width, height, turned, bpp, inks, packed = entry.split()
        version = int(packed[1:], 16) if packed != "-" else None
        found[int(number, 16)] = TagType(
            int(width), int(height), int(turned), inks, int(bpp),
            zlib=version if packed[0] == "z" else None, g5=version if packed[0] == "g" else None,
        )  # fmt: skip
    return found


KNOWN = _rows()
"""The models that documents name."""
