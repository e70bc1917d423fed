from collections.abc import Callable

import pytest
import zxingcpp
from PIL import Image

from display_drivers.base import Frame, Panel
from service.core.faces import Face, SlotFace
from tests.service.rendering.drawing import face_of

Slots = Callable[..., SlotFace]
Faces = Callable[..., Face]


@pytest.fixture(scope="session")
def slot() -> Slots:
    """Makes one product on sale, with every field that the default template shows; name what differs."""

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
            "more": {"saving": "33"},
        }
        fields |= {"look": "sale" if changes.get("on_sale", True) else "regular"}
        return SlotFace(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def face() -> Faces:
    """Makes the face of the given slots on a panel of 296 x 128, unless another is named."""

    def make(
        *slots: SlotFace | None,
        panel: Panel = Panel(296, 128),  # noqa: B008
        locale: str = "hr",
        template: str = "price",
    ) -> Face:
        return face_of(*slots, panel=panel, locale=locale, template=template)

    return make


@pytest.fixture(scope="session")
def scan() -> Callable[[Frame], list[tuple[str, str]]]:
    """What an independent reader finds on the glass: (kind, text) of every barcode."""

    def read(frame: Frame) -> list[tuple[str, str]]:
        grey = bytes([0, 255, 90, 200]).ljust(256, b"\0")
        glass = Image.frombytes("L", (frame.panel.width, frame.panel.height), frame.pixels.translate(grey))
        return [(found.format.name, found.text) for found in zxingcpp.read_barcodes(glass)]

    return read
