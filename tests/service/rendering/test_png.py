import io

import pytest
from PIL import Image

from display_drivers.base import Frame, Panel
from service.rendering import png, shelf_png
from tests.service.rendering.drawing import render


@pytest.mark.parametrize(
    ("palette", "colours"),
    [
        ("BW", [(0, 0, 0), (255, 255, 255)]),
        ("BWR", [(0, 0, 0), (255, 255, 255), (200, 16, 46)]),
        ("BWY", [(0, 0, 0), (255, 255, 255), (242, 193, 0)]),
        ("BWRY", [(0, 0, 0), (255, 255, 255), (200, 16, 46), (242, 193, 0)]),
    ],
)
def test_a_png_has_the_frames_pixels_in_its_panels_colours(palette, colours):
    frame = Frame(Panel(len(colours), 1, palette), bytes(range(len(colours))))
    image = _opened(png(frame)).convert("RGB")
    assert [image.getpixel((x, 0)) for x in range(len(colours))] == colours


def test_a_shelf_shows_every_display_pixel_for_pixel(face, slot):
    frames = [("one", render(face(slot()))), ("two", render(face(slot(), panel=Panel(400, 300, "BWY"))))]
    shelf = _opened(shelf_png(frames, columns=2)).convert("RGB").tobytes()
    for _, frame in frames:
        first_row = (
            _opened(png(frame))
            .convert("RGB")
            .crop((0, frame.panel.height // 2, frame.panel.width, frame.panel.height // 2 + 1))
        )
        assert first_row.tobytes() in shelf


def test_a_shelf_has_rows_of_as_many_columns_as_wanted(face, slot):
    frames = [(str(n), render(face(slot()))) for n in range(5)]
    one_row, three_rows = (_opened(shelf_png(frames, columns)) for columns in (5, 2))
    assert one_row.width > 5 * 296 > three_rows.width > 2 * 296
    assert three_rows.height > 2 * one_row.height


def test_an_empty_shelf_is_a_picture_too():
    assert _opened(shelf_png([], columns=4)).width > 0


def _opened(data):
    return Image.open(io.BytesIO(data))
