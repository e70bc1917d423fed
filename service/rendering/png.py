"""Frames as pictures for people: one display's glass, or a whole shelf of them."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from display_drivers.base import Frame
from service.core.boxes import Box
from service.rendering.images import INKS
from service.rendering.text import fit

# A shelf is drawn in one palette: the four inks, then the furniture.
FURNITURE = ((232, 226, 216), (176, 148, 112), (140, 114, 82), (206, 210, 214), (164, 170, 176), (84, 88, 92))
WALL, BOARD, BOARD_SHADE, RAIL, RAIL_SHADE, CAPTION = range(len(INKS), len(INKS) + len(FURNITURE))
PAPER = 1

GAP = 14  # pixels between displays, and between them and the edges of the rail
BEZEL = 5
BOARD_HEIGHT = 12
CAPTION_SIZE = 12


def png(frame: Frame) -> bytes:
    """The frame as a PNG in the colours of its panel's inks, pixel for pixel."""
    panel = frame.panel
    image = Image.frombytes("P", (panel.width, panel.height), frame.pixels)
    image.putpalette([channel for ink in panel.palette for channel in INKS[ink]])
    return encoded(image)


def shelf_png(frames: Sequence[tuple[str, Frame]], columns: int) -> bytes:
    """A shelf as its displays show it: captions and frames, in rows of `columns`, each row on its board and rail."""
    width = max((frame.panel.width for _, frame in frames), default=0) + 2 * BEZEL + GAP
    rows = [frames[start : start + columns] for start in range(0, len(frames), columns)]
    tops = [GAP]
    for row in rows:
        tops.append(tops[-1] + _row_height(row) + GAP)
    shelf = Image.new("P", (width * min(columns, max(1, len(frames))) + GAP, tops[-1]), WALL)
    shelf.putpalette([channel for colour in (*INKS.values(), *FURNITURE) for channel in colour])
    for row, top in zip(rows, tops, strict=False):
        _draw_row(shelf, row, top, width)
    return encoded(shelf)


def _row_height(row: Sequence[tuple[str, Frame]]) -> int:
    return BOARD_HEIGHT + max(frame.panel.height for _, frame in row) + 2 * (BEZEL + GAP) + CAPTION_SIZE


def _draw_row(shelf: Image.Image, row: Sequence[tuple[str, Frame]], top: int, width: int) -> None:
    draw = ImageDraw.Draw(shelf)
    draw.fontmode = "1"
    bottom = top + _row_height(row)
    draw.rectangle((0, top, shelf.width, top + BOARD_HEIGHT - 1), fill=BOARD)
    draw.rectangle((0, top + BOARD_HEIGHT - 3, shelf.width, top + BOARD_HEIGHT - 1), fill=BOARD_SHADE)
    draw.rectangle((0, top + BOARD_HEIGHT, shelf.width, bottom - 1), fill=RAIL)
    draw.rectangle((0, bottom - 2, shelf.width, bottom - 1), fill=RAIL_SHADE)
    for column, (caption, frame) in enumerate(row):
        _draw_display(shelf, draw, (GAP + column * width, top + BOARD_HEIGHT + GAP), caption, frame)


def _draw_display(
    shelf: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], caption: str, frame: Frame
) -> None:
    x, y = corner
    panel = frame.panel
    case = Box(x, y, x + panel.width + 2 * BEZEL, y + panel.height + 2 * BEZEL)
    draw.rounded_rectangle((case.left + 2, case.top + 2, case.right + 1, case.bottom + 1), BEZEL, fill=RAIL_SHADE)
    draw.rounded_rectangle((case.left, case.top, case.right - 1, case.bottom - 1), BEZEL, fill=PAPER)
    draw.rectangle((x + BEZEL - 1, y + BEZEL - 1, case.right - BEZEL, case.bottom - BEZEL), outline=RAIL)
    inks = bytes(list(INKS).index(ink) for ink in panel.palette).ljust(256, b"\0")
    glass = Image.frombytes("P", (panel.width, panel.height), frame.pixels.translate(inks))
    shelf.paste(glass, (x + BEZEL, y + BEZEL))
    if words := fit(caption, "regular", (CAPTION_SIZE,), panel.width, CAPTION_SIZE * 2):
        words.font.write(shelf, x + BEZEL, case.bottom + CAPTION_SIZE, words.lines[0], CAPTION)


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
