"""Something to play with: simulated displays for a sandbox store, which show what its integration pushes."""

from collections.abc import Sequence

from service.context import Shelfcast
from service.errors import ConflictError, ValidationError
from service.gateways import gateway_setup
from service.messages.tenants import SimulatedDisplay, Simulation
from service.shelves import floor
from service.store.tenants import Store
from service.tenants import simulated, stores

GATEWAY = "simulated"
PANELS = ("296x128-BWR", "296x128-BWR", "296x128-BWR", "400x300-BWR")
"""Given to the displays in turn."""
MOST_DISPLAYS = 200


async def simulate(ctx: Shelfcast, store: Store, count: int, barcodes: Sequence[str], *, by: str) -> Simulation:
    """Have so many simulated displays in a sandbox store, the first of them bound to these products.

    They may be bound before any feed names the product. Repeating it changes nothing; fewer take none away.
    Raises ConflictError for a live store, ValidationError for more barcodes than displays or for one that cannot be,
    UnavailableError where no simulated store answers.
    """
    if store.environment != "sandbox":
        raise ConflictError(f"Store {store.slug} is live; simulated displays are for sandbox stores.")
    if len(barcodes) > count:
        reason = f"are more than {count} displays"
        raise ValidationError(f"{len(barcodes)} barcodes {reason}; ask for more displays.", {"barcodes": reason})
    panels = {f"{store.slug}-{number + 1:03}": PANELS[number % len(PANELS)] for number in range(count)}
    url = await simulated.furnish(ctx.settings, store.slug, panels)
    if all(gateway.name != GATEWAY for gateway in await stores.gateways(ctx, store.slug)):
        await gateway_setup.add_to(ctx, store.slug, GATEWAY, simulated.DRIVER, {"url": url})
    bound = dict(zip(panels, barcodes, strict=False))
    lines = [
        {"address": address, "gateway": GATEWAY, "panel": panel, "barcode": bound.get(address, "")}
        for address, panel in panels.items()
    ]
    report = await floor.import_displays(ctx, store.slug, enumerate(lines), by=by, takeover=True)
    if report.refused:
        reasons = {f"barcodes[{refused.line}]": refused.reason for refused in report.refused}
        raise ValidationError(f"Not every display was made: {report.refused[0].reason}", reasons)
    displays = [SimulatedDisplay(address=name, panel=panel, barcode=bound.get(name)) for name, panel in panels.items()]
    return Simulation(store=store.slug, gateway=GATEWAY, displays=displays)
