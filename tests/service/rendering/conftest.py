from collections.abc import Callable

import pytest
import zxingcpp
from PIL import Image

from display_drivers.base import Frame, Panel
from service.core.faces import Face, SlotFace

Slots = Callable[..., SlotFace]
Faces = Callable[..., Face]


@pytest.fixture(scope="session")
def slot() -> Slots:
    """Makes one product on sale, with every field that a label can show; name what differs."""

    def make(**changes: object) -> SlotFace:
        fields: dict[str, object] = {
            "barcode": "4006381333931",
            "name": "Čokoladno mlijeko s đumbirom",
            "currency": "EUR",
            "price": "0.99",
            "regular": "1.49",
            "on_sale": True,
            "until": "2026-12-31",
            "unit_price": "1.98",
            "unit_price_unit": "l",
            "promotion": "Samo ovaj tjedan!",
        }
        return SlotFace(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def face() -> Faces:
    """Makes the face of the given slots on a panel of 296 x 128, unless another is named."""

    def make(*slots: SlotFace | None, panel: Panel = Panel(296, 128), locale: str = "hr") -> Face:  # noqa: B008
        return Face(panel, "price", 1, locale, slots)

    return make


@pytest.fixture(scope="session")
def scan() -> Callable[[Frame], list[tuple[str, str]]]:
    """What an independent reader finds on the glass: (kind, text) of every barcode."""

    def read(frame: Frame) -> list[tuple[str, str]]:
        grey = bytes([0, 255, 90, 200]).ljust(256, b"\0")
        glass = Image.frombytes("L", (frame.panel.width, frame.panel.height), frame.pixels.translate(grey))
        return [(found.format.name, found.text) for found in zxingcpp.read_barcodes(glass)]

    return read
