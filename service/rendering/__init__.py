"""Faces as pixels: the plain template, drawn straight to a panel's palette."""

from service.rendering.png import png, shelf_png
from service.rendering.render import RENDERER_VERSION, FrameCache, render

__all__ = ["RENDERER_VERSION", "FrameCache", "png", "render", "shelf_png"]
