"""(m) Memory of the worker while the file of an import is read, which must not grow with the file."""

import asyncio
import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from bench import usage
from bench.harness import Figure, Goal, Sizes
from bench.memory import watched
from bench.places import SLUG, Place, furnish
from service.core.scopes import Scope
from service.tenants import tokens
from tests.processes import Site

GOAL = Goal(20)
_PARTS = ("api", "worker")
_PIECE = 4 * 1024 * 1024
_SHARE, _WARM = 10, 3
_OVER = {"completed", "failed"}


@dataclass(frozen=True)
class Grown:
    """Megabytes of the worker: at rest, while a small file and a large one were read, and until that was saved.

    Attributes:
        seconds: That the large one took to be read.
    """

    idle: float
    small: float
    large: float
    saved: float
    seconds: float


async def measure(place: Place, sizes: Sizes) -> list[Figure]:
    rows = sizes.large * 2 // 5
    async with place.site() as site:
        async with site.opened() as ctx:
            await furnish(ctx)
            scopes = [Scope.PRODUCTS_WRITE, Scope.FEED]
            token = (await tokens.issue(ctx, SLUG, "files", scopes=scopes)).token
        await site.start("valkey", *_PARTS)
        await site.ready()
        headers, base = {"Authorization": f"Bearer {token}"}, f"{site.url}/api/v1"
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=120) as client:
            return [_figure(place, rows, await _grown(site, client, rows, dry=dry), dry=dry) for dry in (True, False)]


def _figure(place: Place, rows: int, grown: Grown, *, dry: bool) -> Figure:
    saved = "" if dry else f", {grown.saved:.0f} MB until its batch is saved"
    return Figure(
        f"(m) memory of the worker, a file of {rows:,} rows {'compared' if dry else 'read'}, beyond that of a tenth",
        place.database,
        [grown.large - grown.small],
        "MB",
        GOAL,
        f"{grown.idle:.0f} MB idle, {grown.small:.0f} MB for a tenth, {grown.large:.0f} MB for all{saved};"
        f" {rows / grown.seconds:,.0f} rows a second",
    )


async def _grown(site: Site, client: httpx.AsyncClient, rows: int, *, dry: bool) -> Grown:
    idle = usage.memory(site.running["worker"].pid)
    await _saved(client, await _read(client, rows * _WARM // _SHARE, dry=dry))  # fills what is kept on purpose: caches
    with watched(site) as small:
        first = await _read(client, rows // _SHARE, dry=dry)
    await _saved(client, first)
    with watched(site) as saved:
        start = time.monotonic()
        with watched(site) as large:
            second = await _read(client, rows, dry=dry)
        seconds = time.monotonic() - start
        await _saved(client, second)
    return Grown(idle, small["worker"], large["worker"], saved["worker"], seconds)


async def _read(client: httpx.AsyncClient, rows: int, *, dry: bool) -> dict[str, Any]:
    """The import of a file of so many rows, once it is read."""
    new = (await client.post("/imports", json={"dryRun": dry})).raise_for_status().json()
    content = gzip.compress(b"".join(_lines(rows)), 1)
    for first in range(0, len(content), _PIECE):
        piece = content[first : first + _PIECE]
        span = {"Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}
        (await client.put(f"/imports/{new['id']}/file", content=piece, headers=span)).raise_for_status()
    (await client.post(f"/imports/{new['id']}/finalize")).raise_for_status()
    done = await _until_over(client, f"/imports/{new['id']}")
    if done["rowsAccepted"] != rows:
        raise RuntimeError(f"Read otherwise than expected: {done}")
    return done


async def _saved(client: httpx.AsyncClient, done: dict[str, Any]) -> None:
    if done["sessionId"] is not None:
        await _until_over(client, f"/batch/{done['sessionId']}/status")


async def _until_over(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    while True:
        standing: dict[str, Any] = (await client.get(path)).raise_for_status().json()
        if standing["status"] in _OVER:
            return standing
        await asyncio.sleep(0.2)


def _lines(rows: int) -> Iterator[bytes]:
    yield b"barcode,name,price,category,brand,sku\n"
    for number in range(rows):
        barcode, price = 2_000_000_000_000 + number, (100 + number * 7 % 4000) / 100
        yield f"{barcode},Product number {number},{price:.2f},Category {number % 40},B,{number}\n".encode()
