"""(d) From the request that changes one price to the new face on the glass of a display that takes no time."""

import asyncio
import time

from bench.harness import Figure, Goal, Sizes, middle, percentile
from bench.http import Connection, request
from bench.places import Place, furnish
from bench.products import barcode, made_rows
from bench.till import Till
from display_drivers.simulator.display import Shot
from display_drivers.simulator.remote import Remote

MIDDLE = Goal(100, 50)
SLOWEST = Goal(250, 120)

_APART = 0.15
"""Seconds from one change to the next, so that each is alone on its way."""
_LATE = 1.0
"""Seconds after the last change by which all have to be there."""


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    addresses = [f"SIM{number + 1:06d}" for number in range(sizes.samples)]
    bound = {address: barcode(number) for number, address in enumerate(addresses)}
    async with place.site() as site:
        simulator = await site.simulator(displays=sizes.samples, time_scale=0)
        async with site.opened() as ctx:
            token = await furnish(ctx, bound, simulator.gateways, dict.fromkeys(bound, "g1"))
        await site.start("serve")
        await site.ready()
        async with Connection(site.port) as connection, Remote(simulator.control) as remote:
            till = Till(connection, token)
            session_id = await till.hold(made_rows(sizes.samples))
            await till.complete(session_id)
            await till.until(session_id, lambda status: status["tagsSent"] == sizes.samples)
            sent, answered = await _change(connection, token, bound)
            await asyncio.sleep(_LATE)
            shown = await remote.glass(history=True)
    waits = [_arrival(shown[address].history, address) - sent[address] for address in addresses]
    note = f"{len(waits)} changes; the answer to the POS after {middle(answered)} ms; most {max(waits):.0f} ms"
    return [
        Figure("(d) price change to push, p50", place.database, [percentile(waits, 0.5)], "ms", MIDDLE, note),
        Figure("(d) price change to push, p95", place.database, [percentile(waits, 0.95)], "ms", SLOWEST, note),
    ]


async def _change(connection: Connection, token: str, bound: dict[str, str]) -> tuple[dict[str, float], list[float]]:
    """When each was sent, in milliseconds since the epoch, and how long the answers took."""
    sent, answered = {}, []
    for address, code in bound.items():
        change = request("POST", "/productUpdate", token, {"products": [{"barcode": code, "price": "123.45"}]})
        sent[address] = time.time() * 1000
        await connection.told(change)
        answered.append(time.time() * 1000 - sent[address])
        await asyncio.sleep(_APART)
    return sent, answered


def _arrival(history: list[Shot] | None, address: str) -> float:
    if history is None or len(history) != 2:  # noqa: PLR2004 - the first face and the changed one
        raise RuntimeError(f"Display {address} did not get its new face once: {history}.")
    return history[-1].at
