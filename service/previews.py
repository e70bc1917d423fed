"""Labels as pictures, without a shelf: how a product would look, what a display should show, what it was proven to.

Drawn by the same code, from the same faces, as what is sent.
"""

from typing import Literal

import msgspec

from service import saving
from service.context import Shelfcast
from service.core import faces, panels
from service.core.faces import Template
from service.core.product import StoreFacts
from service.errors import ConflictError, NotFoundError, ValidationError
from service.rendering import png, render
from service.store import displays, updates
from service.stores import known_store

Which = Literal["desired", "shown"]


async def of_product(ctx: Shelfcast, store: str, barcode: str, panel: str) -> bytes:
    """A PNG of the label that a display with such a panel, such as `296x128-BWR`, would show of this product now.

    Raises NotFoundError for a product that the store does not sell, ValidationError for what is no panel.
    """
    try:
        screen = panels.parse(panel)
    except ValueError as error:
        raise ValidationError(str(error), {"panel": "is no panel"}) from None
    async with ctx.db.read() as connection:
        owner = await known_store(connection, store)
        found = (await saving.on_sale(connection, owner.id, [barcode])).get(barcode)
    if found is None or found.product is None:
        raise NotFoundError(f"The store sells no product with the barcode {barcode}.")
    facts = StoreFacts(owner.currency, owner.timezone, owner.locale)
    face = faces.plan_face({0: found.product}, screen, Template(), facts, ctx.clock())
    assert face is not None  # noqa: S101 - for the type checker: there is a product
    return png(render(face))


async def of_display(ctx: Shelfcast, store: str, display: str, which: Which) -> bytes:
    """A PNG of what a display, named by its address or id, should show, or was last proven to show.

    Raises NotFoundError where there is no such display, or no such face; ConflictError for an address that two have.
    """
    async with ctx.db.read() as connection:
        owner = await known_store(connection, store)
        found = await displays.named(connection, owner.id, display)
        digests = [digest for row in found if (digest := row[f"{which}_digest"])]
        contents = await updates.contents(connection, owner.id, digests)
    if not found:
        raise NotFoundError(f"The store has no display {display}.")
    if len(found) > 1:
        raise ConflictError(f"{len(found)} displays have the address {display}; give the id of one of them.")
    if not digests:
        missing = "should show nothing of ours yet" if which == "desired" else "was not proven to show anything yet"
        raise NotFoundError(f"Display {display} {missing}.")
    return png(render(faces.from_content(msgspec.json.decode(contents[digests[0]]))))
