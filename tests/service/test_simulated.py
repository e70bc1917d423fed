import asyncio
from dataclasses import replace

import httpx
import pytest

from display_drivers.simulator.process import serving
from display_drivers.simulator.store import Options
from service.children import end
from service.errors import UnavailableError
from service.settings import Settings
from service.tenants import simulated

PANELS = {"lab-001": "296x128-BWR", "lab-002": "400x300-BW"}


def test_nothing_is_started_until_somebody_asks(on_sqlite: Settings):
    assert simulated.start(on_sqlite) is None


async def test_who_asks_first_chooses_the_port_and_everybody_keeps_it(
    on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch
):
    process = None
    asking = asyncio.gather(*(simulated.furnish(on_sqlite, "lab", PANELS) for _ in range(2)))
    try:
        async with asyncio.timeout(20):
            while process is None:
                await asyncio.sleep(0)
                process = simulated.start(on_sqlite)
        assert len({*await asking, await simulated.furnish(on_sqlite, "lab", PANELS)}) == 1
        assert (on_sqlite.data_dir / simulated.JOURNAL).exists()
    finally:
        asking.cancel()
        if process is not None:
            end(process, 5.0)


async def test_a_simulated_store_elsewhere_is_nobodys_child(on_sqlite: Settings):
    async with serving(Options(displays=0, time_scale=0)) as ready:
        settings = replace(on_sqlite, simulator_url=ready.url)
        url = await simulated.furnish(settings, "lab", PANELS)
        assert (url, simulated.start(settings)) == (f"{ready.url}/gateways/lab", None)
        async with httpx.AsyncClient(trust_env=False) as client:
            seen = (await client.get(f"{ready.control}/glass")).json()["displays"]
    assert {(one["address"], one["panel"]["width"]) for one in seen} == {("lab-001", 296), ("lab-002", 400)}


async def test_asking_again_leaves_what_is_on_the_glass(on_sqlite: Settings):
    async with serving(Options(displays=0, time_scale=0)) as ready, httpx.AsyncClient(trust_env=False) as client:
        settings = replace(on_sqlite, simulator_url=ready.url)
        await simulated.furnish(settings, "lab", {"lab-001": "296x128-BWR"})
        await client.patch(f"{ready.control}/displays", json={"battery": 5})
        await simulated.furnish(settings, "lab", PANELS)
        seen = (await client.get(f"{ready.control}/glass")).json()["displays"]
    assert {one["address"]: one["battery"] for one in seen} == {"lab-001": 5, "lab-002": 100}


async def test_where_nobody_answers_it_says_what_to_run(on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(simulated, "ANSWERS_WITHIN", 0.0)
    with pytest.raises(UnavailableError, match="shelfcast serve"):
        await simulated.furnish(on_sqlite, "lab", PANELS)
