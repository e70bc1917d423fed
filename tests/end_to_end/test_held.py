"""Real processes: a worker holds what a guard objects to, goes on when told to, and waits while a gateway is mended."""

import httpx
import pytest

from service.core.scopes import Scope
from service.gateways import gateway_setup
from service.shelves import floor
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.processes import SWIFT, installed
from tests.service.api.test_all_batches import goods
from tests.shop import until

pytestmark = pytest.mark.timeout(180)

PARTS = ("valkey", "api", "worker")


async def test_a_worker_holds_a_batch_goes_on_when_it_is_released_and_waits_for_maintenance(settings):
    async with installed(settings.data_dir, database_url=settings.database_url, settings=SWIFT) as site:
        hardware = await site.simulator(displays=1, time_scale=0)
        async with site.opened() as ctx:
            await stores.create_store(ctx, NewStore(slug="shop", sandbox=True))
            await gateway_setup.add_to(ctx, "shop", "g1", "simulator", {"url": hardware.gateways["g1"]})
            token = (await tokens.issue(ctx, "shop", "all", scopes=[Scope.ADMIN])).token
            line = {"address": "SIM000001", "gateway": "g1", "panel": "296x128-BWR", "barcode": "P000"}
            assert not (await floor.import_displays(ctx, "shop", [(1, line)], by="test")).refused
        await site.start(*PARTS)
        await site.ready()
        await _story(site, token)
        assert site.deaths == []


async def _story(site, token):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", headers=headers, trust_env=False) as api:
        first = await _fed(api, goods(30))
        await _is(api, first, status="completed", tagsConfirmed=1)
        cents = await _fed(api, goods(30, "199"))
        await _is(api, cents, status="held", guard="price", productsSaved=0)
        assert (await api.post("/gateways/g1/maintenance", json={"reason": "New roof"})).status_code == 200
        assert (await api.post(f"/batches/{cents}/release")).status_code == 200
        await _is(api, cents, phase="verifying", tagsSent=0, tagsPending=1)
        gateway = (await api.get("/gateways/g1")).json()
        assert (gateway["state"], gateway["updates"]["waiting"], gateway["displays"]["wrong"]) == ("maintenance", 1, 1)
        assert (await api.delete("/gateways/g1/maintenance")).status_code == 200
        await _is(api, cents, status="completed", tagsConfirmed=1)
        assert (await api.get("/gateways/g1")).json()["displays"] == {"total": 1, "wrong": 0, "unconfirmed": 0}


async def _fed(api, products):
    session = (await api.post("/batch/start", json={})).json()["sessionId"]
    await api.post("/batch/push", json={"sessionId": session, "products": products})
    await api.post("/batch/complete", json={"sessionId": session})
    return session


async def _is(api, session, **wanted):
    async def so():
        found = (await api.get(f"/batches/{session}")).json()
        return {name: found[name] for name in wanted} == wanted

    await until(so, within=60)
