"""Faces to frames: the same face gives the same bytes, on every machine and in every process."""

import threading
from collections import OrderedDict

from display_drivers.base import Frame
from service.core.faces import Face
from service.rendering.label import label_of
from service.rendering.layout import Box, cells
from service.rendering.paint import BLACK, Canvas, paint

RENDERER_VERSION = 2
"""Grows when the same face gives other pixels. It is kept with what was sent, and redraws nothing by itself."""


def render(face: Face) -> Frame:
    """The pixels of a face. Every slot has an equal cell; an empty one stays white, as does a face without products."""
    panel = face.panel
    canvas = Canvas(panel.width, panel.height)
    if any(face.slots):
        grid = cells(panel.width, panel.height, len(face.slots))
        for cell, slot in zip(grid, face.slots, strict=True):
            if slot:
                paint(canvas, cell, label_of(slot, face.locale), panel.palette)
        _part(canvas, grid)
    return Frame(panel, canvas.image.tobytes())


def _part(canvas: Canvas, grid: list[Box]) -> None:
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

    def frame(self, digest: str, face: Face) -> Frame:
        """The frame of a face whose digest this is; drawn outside the lock, at worst twice."""
        with self._lock:
            if known := self._frames.get(digest):
                self._frames.move_to_end(digest)
                return known
        return self._keep(digest, render(face))

    def _keep(self, digest: str, frame: Frame) -> Frame:
        with self._lock:
            if digest not in self._frames:
                self._frames[digest] = frame
                self._held += len(frame.pixels)
            while self._held > self._most:
                _, oldest = self._frames.popitem(last=False)
                self._held -= len(oldest.pixels)
        return frame
