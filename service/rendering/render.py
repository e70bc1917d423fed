"""Faces to frames: the same face gives the same bytes, on every machine and in every process."""

import threading
from collections import OrderedDict
from typing import NamedTuple

from display_drivers.base import Frame
from service.core.boxes import Box, cells
from service.core.faces import Face, SlotFace
from service.core.templates import Template
from service.rendering.areas import Job, Mark, draw_area
from service.rendering.canvas import BLACK, Canvas

RENDERER_VERSION = 3
"""Grows when the same face gives other pixels. It is kept with what was sent, and redraws nothing by itself."""


class Drawing(NamedTuple):
    """A frame, and how each area of each slot went."""

    frame: Frame
    marks: list[Mark]


def render(face: Face, template: Template) -> Frame:
    """The pixels of a face.

    Every slot has an equal cell; an empty one stays white, as does a face without products. Raises ImageError where
    a picture of the template cannot be drawn here.
    """
    return draw(face, template).frame


def draw(face: Face, template: Template) -> Drawing:
    """The same, and how it went."""
    panel = face.panel
    canvas = Canvas.blank(panel.width, panel.height)
    marks: list[Mark] = []
    if any(face.slots):
        grid = cells(panel.width, panel.height, len(face.slots))
        for cell, slot in zip(grid, face.slots, strict=True):
            if slot:
                marks += _draw_slot(canvas, cell, grid[0], face, slot, template)
        _part(canvas, grid)
    return Drawing(Frame(panel, canvas.image.tobytes()), marks)


def _draw_slot(canvas: Canvas, cell: Box, first: Box, face: Face, slot: SlotFace, template: Template) -> list[Mark]:
    """One product in its cell. The first cell decides the shape of all, which differ by a pixel at most."""
    look = template.look(slot.look, on_sale=slot.on_sale)
    side = min(face.panel.width, face.panel.height)
    job = Job(canvas, slot, face.locale, face.panel.palette, look.file.words, template.bundle.images, side)
    return [
        draw_area(job, placed.name, placed.area, cell.part(placed.percent))
        for placed in look.placed(look.shape(first.width, first.height))
        if not placed.area.when or placed.name in slot.areas
    ]


def _part(canvas: Canvas, grid: tuple[Box, ...]) -> None:
    """A line between neighbouring cells, on the left and upper edge of the later one."""
    for cell in grid:
        if cell.left:
            canvas.fill(Box(cell.left, cell.top, cell.left + 1, cell.bottom), BLACK)
        if cell.top:
            canvas.fill(Box(cell.left, cell.top, cell.right, cell.top + 1), BLACK)


class FrameCache:
    """Frames by digest, the least recently used forgotten first. Safe to use from several threads."""

    def __init__(self, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._most = most_bytes
        self._held = 0
        self._frames: OrderedDict[str, Frame] = OrderedDict()
        self._lock = threading.Lock()

    def frame(self, digest: str, face: Face, template: Template) -> Frame:
        """The frame of a face whose digest this is; drawn outside the lock, at worst twice."""
        with self._lock:
            if known := self._frames.get(digest):
                self._frames.move_to_end(digest)
                return known
        return self._keep(digest, render(face, template))

    def _keep(self, digest: str, frame: Frame) -> Frame:
        with self._lock:
            if digest not in self._frames:
                self._frames[digest] = frame
                self._held += len(frame.pixels)
            while self._held > self._most:
                _, oldest = self._frames.popitem(last=False)
                self._held -= len(oldest.pixels)
        return frame
