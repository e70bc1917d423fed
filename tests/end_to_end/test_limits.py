"""Four API processes, one token, one Redis that dies and comes back."""

import asyncio
import contextlib
from collections import Counter

import httpx
import pytest

from service.settings import Settings
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.processes import SWIFT, Site, installed
from tests.shop import until

pytestmark = pytest.mark.timeout(240)

ALLOWED = 150
SETTINGS = {**SWIFT, "plans": f"few={ALLOWED}/{ALLOWED}"}


async def test_four_processes_answer_exactly_what_a_plan_allows_and_go_on_without_redis(on_sqlite: Settings):
    async with contextlib.AsyncExitStack() as stack:
        sites = [await stack.enter_async_context(installed(on_sqlite.data_dir, settings=SETTINGS)) for _ in range(4)]
        first = sites[0]
        async with first.opened() as ctx:
            await stores.create_store(ctx, NewStore(slug="one"))
            token = (await tokens.issue(ctx, "one", "few", plan="few")).token
        await first.start("valkey")
        for site in sites:  # one after the other, since each has so long to start, however busy the machine is
            await site.start("api")
            await site.ready()
        assert await answers(sites, token, 60) == {201: ALLOWED, 429: 4 * 60 - ALLOWED}
        await first.kill("valkey")
        assert await answers(sites, token, 10) == {201: 40}
        await first.start("valkey")

        async def counted_again() -> bool:
            return await answers(sites, token, 1) == {429: 4}

        await until(counted_again, within=20)
        assert first.log("api").count("rate_limits_off") >= 4  # all four write one file


async def answers(sites: list[Site], token: str, each: int) -> Counter[int]:
    """Status codes of so many requests at once to each process."""
    headers = {"Authorization": f"Bearer {token}"}
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=site.url, headers=headers, timeout=60, trust_env=False)
            )
            for site in sites
        ]
        asked = [client.post("/batch/start") for client in clients for _ in range(each)]
        return Counter(answer.status_code for answer in await asyncio.gather(*asked))
