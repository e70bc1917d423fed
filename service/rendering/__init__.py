"""Faces as pixels: templates drawn straight to a panel's palette."""

from service.rendering.png import png, shelf_png
from service.rendering.render import RENDERER_VERSION, Drawing, FrameCache, draw, render

__all__ = ["RENDERER_VERSION", "Drawing", "FrameCache", "draw", "png", "render", "shelf_png"]
