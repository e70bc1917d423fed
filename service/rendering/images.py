"""Pictures of templates: read without trusting them, and turned into a panel's inks."""

import io
import warnings
from functools import lru_cache

from PIL import Image

from display_drivers.base import Palette

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MOST_PIXELS = 2000 * 2000
INKS = {"B": (0, 0, 0), "W": (255, 255, 255), "R": (200, 16, 46), "Y": (242, 193, 0)}
_NEAR_WHITE = 128
"""Of alpha: what is more transparent than this shows the paper."""


class ImageError(Exception):
    """A picture that cannot be used; its words say why and what to do."""


def check(data: bytes) -> None:
    """Raises ImageError for what is no picture, too large or broken; nothing is expanded before its size is known."""
    _opened(data)


@lru_cache(maxsize=64)
def in_inks(data: bytes, palette: Palette, size: tuple[int, int], *, photo: bool) -> tuple[Image.Image, Image.Image]:
    """The picture within this size, its proportions kept, as palette indices; and the mask of what is not transparent.

    Raises ImageError also where it is a photo and the optional package for dithering is not installed.
    """
    image = _opened(data).convert("RGBA")
    scale = min(size[0] / image.width, size[1] / image.height)
    image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.BOX)
    mask = image.getchannel("A").point([0] * _NEAR_WHITE + [255] * (256 - _NEAR_WHITE), "1")
    flat = Image.new("RGB", image.size, INKS["W"])
    flat.paste(image, mask=image.getchannel("A"))
    return (_dithered(flat, palette) if photo else _nearest(flat, palette)), mask


def _opened(data: bytes) -> Image.Image:
    if data.lstrip()[:5].lower().startswith((b"<svg", b"<?xml", b"<!doc")):
        raise ImageError("SVG is not read: it may refer to files elsewhere. Export it as PNG.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height <= MOST_PIXELS:
                image.load()
    except Exception as error:  # whatever a decoder raises for bytes that anybody may have made
        raise ImageError(f"This is no picture that can be read ({', '.join(FORMATS)}): {error}") from error
    if image.width * image.height > MOST_PIXELS:
        raise ImageError(f"This picture has {image.width} x {image.height} pixels; {MOST_PIXELS:,} are the most.")
    return image


def _palette_image(palette: Palette) -> Image.Image:
    image = Image.new("P", (1, 1))
    image.putpalette([channel for ink in palette for channel in INKS[ink]])
    return image


def _nearest(image: Image.Image, palette: Palette) -> Image.Image:
    indices = image.quantize(palette=_palette_image(palette), dither=Image.Dither.NONE)
    return Image.frombytes("L", indices.size, indices.tobytes())


def _dithered(image: Image.Image, palette: Palette) -> Image.Image:
    try:
        from epaper_dithering import ColorScheme, DitherMode, dither_image  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ImageError('Photos need an extra: pip install "shelfcast[photos]".') from None
    scheme = {"BW": ColorScheme.MONO, "BWR": ColorScheme.BWR, "BWY": ColorScheme.BWY, "BWRY": ColorScheme.BWRY}[palette]
    done = dither_image(image, scheme, mode=DitherMode.BURKES)
    return _nearest(done.convert("RGB"), palette)
