"""Faces of shipped templates, drawn."""

from display_drivers.base import Frame, Panel
from service.core.faces import Face, SlotFace
from service.rendering import Drawing, FrameCache
from service.rendering import draw as drawn
from service.rendering.shipped import shipped


def render(face: Face) -> Frame:
    return draw(face).frame


def draw(face: Face) -> Drawing:
    return drawn(face, shipped(face.template))


def cached(cache: FrameCache, digest: str, face: Face) -> Frame:
    return cache.frame(digest, face, shipped(face.template))


def face_of(*slots: SlotFace | None, panel: Panel, locale: str = "hr", template: str = "price") -> Face:
    """Of a shipped template, whatever its conditions."""
    found = shipped(template)
    return Face(panel, template, found.version, locale, slots, found.digest)
