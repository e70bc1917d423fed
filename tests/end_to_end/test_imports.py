"""Files through the real processes: killed in the middle of one, and with a real store's price list."""

import asyncio
import gzip
import os
from pathlib import Path

import httpx
import pytest

from service.core.scopes import Scope
from service.settings import Settings
from service.tenants import tokens
from service.tenants.stores import NewStore, create_store
from tests.processes import Site, installed
from tests.service.importer import table

ROWS = 30_000
PARTS = ("valkey", "api", "worker")


class Uploader:
    """Who has a file and a token, and curl."""

    def __init__(self, site: Site, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        base = f"{site.url}/api/v1"
        self._client = httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=60)

    async def told(self, method: str, path: str, **how):
        """Asked again where a process is away."""
        async with asyncio.timeout(60):
            while True:
                try:
                    answer = await self._client.request(method, path, **how)
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code != 503:
                    assert answer.is_success, answer.text
                    return answer.json()
                await asyncio.sleep(0.05)

    async def finalized(self, content: bytes, **options) -> str:
        import_id = (await self.told("POST", "/imports", json=options))["id"]
        await self.told("PUT", f"/imports/{import_id}/file", content=content)
        await self.told("POST", f"/imports/{import_id}/finalize")
        return import_id

    async def until(self, path: str, holds):
        async with asyncio.timeout(90):
            while not holds(standing := await self.told("GET", path)):  # noqa: ASYNC110 - a poller polls
                await asyncio.sleep(0.02)
        return standing

    async def batch(self, import_id: str):
        """The batch of an import, once it is over."""
        done = await self.until(f"/imports/{import_id}", lambda one: one["status"] != "processing")
        assert (done["status"], done["reason"]) == ("completed", None)
        path = f"/batch/{done['sessionId']}/status"
        return done, await self.until(path, lambda one: one["status"] not in {"processing", "open"})

    async def close(self) -> None:
        await self._client.aclose()


@pytest.fixture
async def site(settings: Settings):
    async with installed(settings.data_dir, database_url=settings.database_url) as site:
        yield site


@pytest.fixture
async def uploader(site: Site):
    async with site.opened() as ctx:
        await create_store(ctx, NewStore(slug="corner", locale="hr"))
        scopes = [Scope.FEED, Scope.PRODUCTS_WRITE]
        token = (await tokens.issue(ctx, "corner", "files", scopes=scopes)).token
    await site.start(*PARTS)
    await site.ready()
    uploader = Uploader(site, token)
    yield uploader
    await uploader.close()


async def test_a_worker_killed_in_the_middle_of_a_file_loses_and_doubles_nothing(site: Site, uploader: Uploader):
    import_id = await uploader.finalized(gzip.compress(table(["1.00"] * ROWS).encode() + b",No key,1\n"))
    for share in (10, 4):
        path = f"/imports/{import_id}"
        standing = await uploader.until(path, lambda one, least=ROWS // share: one["rowsRead"] >= least)
        assert standing["status"] == "processing", "this comes too late to mean anything"
        await site.kill("worker")
        await site.start("worker")
    done, batch = await uploader.batch(import_id)
    assert (done["rowsRead"], done["rowsAccepted"], done["rowsRejected"]) == (ROWS + 1, ROWS, 1)
    assert (batch["status"], batch["productsReceived"], batch["productsCreated"]) == ("completed", ROWS + 1, ROWS)
    assert batch["pushes"] == ROWS // 1000 + 1


@pytest.fixture(scope="module")
def price_lists() -> list[bytes]:
    """Of three stores."""
    return [file.read_bytes() for file in sorted(Path(os.environ["SHELFCAST_FEEDS"]).glob("konzum/*.csv"))]


@pytest.mark.feeds
async def test_real_price_lists_are_imported_as_they_are(uploader: Uploader, price_lists: list[bytes]):
    """The last again, in gzip, changes nothing."""
    rows = []
    for content in price_lists:
        done, batch = await uploader.batch(await uploader.finalized(content, keyFallback="sku"))
        assert (done["detected"]["format"], batch["status"], batch["productsRejected"]) == ("konzum", "completed", 0)
        rows.append(done["rowsAccepted"])
    assert sum(rows) == 23_735
    again = await uploader.finalized(gzip.compress(price_lists[-1]), keyFallback="sku")
    _, batch = await uploader.batch(again)
    assert batch["productsUnchanged"] + batch["productsDuplicate"] == rows[-1]
