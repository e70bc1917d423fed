"""The gallery in the docs is what the templates draw: the pictures are these tests' golden ones."""

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from service.rendering.sheets import picture
from service.rendering.shipped import names, shipped

GALLERY = Path(__file__).parents[3] / "docs" / "gallery"


@pytest.mark.parametrize("name", names())
def test_the_gallery_shows_what_is_drawn(name: str, tmp_path: Path):
    """Looks otherwise: look at the difference, raise the template's or the renderer's version, and `make gallery`."""
    drawn = picture(shipped(name)).convert("RGB")
    kept = Image.open(GALLERY / f"{name}.png").convert("RGB")
    difference = told_apart(kept, drawn, tmp_path / f"{name}-difference.png")
    assert difference is None, f"docs/gallery/{name}.png is another picture: {difference}"


def told_apart(kept: Image.Image, drawn: Image.Image, file: Path) -> str | None:
    """None if they are the same; else where they differ, and a picture of it: gone in red, new in green."""
    if kept.size != drawn.size:
        return f"{kept.size} became {drawn.size}"
    box = ImageChops.difference(kept, drawn).getbbox()
    if box is None:
        return None
    channels = kept.convert("L"), drawn.convert("L")
    Image.merge("RGB", (channels[1], channels[0], ImageChops.darker(*channels))).save(file)
    return f"from {box[:2]} to {box[2:]}; see {file}"


def test_a_picture_that_differs_is_told_with_place_and_picture(tmp_path: Path):
    kept = Image.new("RGB", (20, 10), "white")
    drawn = kept.copy()
    drawn.putpixel((7, 3), (0, 0, 0))
    file = tmp_path / "difference.png"
    assert told_apart(kept, kept, file) is None
    assert str(file) in (told_apart(kept, drawn, file) or "")
    assert Image.open(file).getpixel((7, 3)) == (0, 255, 0)
    assert told_apart(kept, Image.new("RGB", (9, 9)), file) == "(20, 10) became (9, 9)"
