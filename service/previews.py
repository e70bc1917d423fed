"""Labels as pictures, without a shelf: how a product would look, what a display should show, what it was proven to.

Drawn by the same code, from the same faces and templates, as what is sent.
"""

from typing import Literal

import msgspec

from display_drivers.base import Panel
from service import saving
from service.context import Shelfcast
from service.core import faces, panels
from service.core.faces import Face
from service.core.product import Product, StoreFacts
from service.core.template_file import TemplateError
from service.core.templates import Template, Unusable
from service.errors import ConflictError, NotFoundError, ValidationError
from service.rendering import png, render
from service.rendering.images import ImageError
from service.store import displays, tenants, updates
from service.templates import chooser, missing, of_faces

Which = Literal["desired", "shown"]
MOST_PIXELS = 2_000_000
"""Of a panel that is drawn on request; more than any label has."""


async def of_product(
    ctx: Shelfcast, store_id: int, barcode: str, panel: str, template: str | Template | None = None
) -> bytes:
    """A PNG of the label that a display with such a panel, such as `296x128-BWR`, would show of this product now.

    `template`: Another one than the store chose for such a display, by its name, or one that is no store's. Raises
    NotFoundError for a product that the store does not sell, or a template that it does not have; ValidationError for
    what is no panel; ConflictError where the template cannot be drawn.
    """
    screen = _panel(panel)
    async with ctx.db.read() as connection:
        found = (await saving.on_sale(connection, store_id, [barcode])).get(barcode)
        if found is None or found.product is None:
            raise NotFoundError(f"The store sells no product with the barcode {barcode}.")
        store = await tenants.store_record(connection, store_id)
        if isinstance(template, Template):
            chosen = template
        else:
            chosen = (await chooser(connection, store, [template])).of(screen.name, found.product.category, template)
    if isinstance(chosen, Unusable) and not chosen.digest:
        raise NotFoundError(str(missing(chosen.name)))
    return face_png(_face(found.product, screen, chosen, saving.facts_of(store), ctx.clock()), chosen)


def _face(product: Product, panel: Panel, template: Template, facts: StoreFacts, now: int) -> Face:
    face = faces.plan_face({0: product}, panel, template, facts, now)
    assert face is not None  # noqa: S101 - for the type checker: there is a product
    return face


def _panel(name: str) -> Panel:
    try:
        panel = panels.parse(name)
    except ValueError as error:
        raise ValidationError(str(error), {"panel": "is no panel"}) from None
    if panel.width * panel.height > MOST_PIXELS:
        raise ValidationError(f"At most {MOST_PIXELS:,} pixels are drawn.", {"panel": "is too large"})
    return panel


async def of_display(ctx: Shelfcast, store_id: int, display: str, which: Which) -> bytes:
    """A PNG of what a display, named by its address or id, should show, or was last proven to show.

    Raises NotFoundError where there is no such display, or no such face; ConflictError for an address that two have;
    ConflictError where it cannot be drawn.
    """
    async with ctx.db.read() as connection:
        found = await displays.named(connection, store_id, display)
        digests = [digest for row in found if (digest := row[f"{which}_digest"])]
        contents = await updates.contents(connection, store_id, digests)
        drawn_from = await of_faces(connection, store_id, contents.values())
    if not found:
        raise NotFoundError(f"The store has no display {display}.")
    if len(found) > 1:
        raise ConflictError(f"{len(found)} displays have the address {display}; give the id of one of them.")
    if not digests:
        missing_face = (
            "should show nothing of ours yet" if which == "desired" else "was not proven to show anything yet"
        )
        raise NotFoundError(f"Display {display} {missing_face}.")
    content = contents[digests[0]]
    return face_png(faces.from_content(msgspec.json.decode(content)), drawn_from[content])


def face_png(face: Face, template: Template | TemplateError) -> bytes:
    """The face as a PNG; raises ConflictError with the reason where it cannot be drawn."""
    try:
        if isinstance(template, TemplateError):
            raise template
        if isinstance(template, Unusable):
            raise missing(template.name)
        return png(render(face, template))
    except (TemplateError, ImageError) as error:
        raise ConflictError(f"The template cannot be used: {error}") from error
