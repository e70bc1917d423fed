"""What those who run it ask."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from service.api.metrics import FRESH_FOR
from service.context import Shelfcast
from service.settings import Settings
from service.store import tables


@pytest.fixture
def client(connect: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """Health is asked without a token, from anywhere."""
    return connect(peer="192.0.2.7")


async def test_a_process_that_answers_is_live(client: httpx.AsyncClient):
    assert (await client.get("/health/live")).json() == {"status": "up"}


async def test_without_redis_it_is_ready_but_degraded(client: httpx.AsyncClient):
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["database"] == {"ok": True, "detail": ""}
    assert answer.json()["checks"]["redis"]["ok"] is False


async def test_with_both_it_is_ready(app: Litestar, ctx: Shelfcast, client: httpx.AsyncClient):
    class Answering:
        async def ping(self) -> bool:
            return True

    app.state.ctx = replace(ctx, bell=Answering())
    assert (await client.get("/health/ready")).json()["status"] == "ready"


async def test_with_the_tables_of_another_version_it_is_not_ready(ctx: Shelfcast, client: httpx.AsyncClient):
    await ctx.db.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = 'other'")))
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "migrate" in answer.json()["checks"]["database"]["detail"]


async def test_without_its_database_it_is_not_ready(ctx: Shelfcast, client: httpx.AsyncClient):
    await ctx.db.close()
    for part in ctx.settings.data_dir.glob("shelfcast.db*"):
        part.unlink()
    (ctx.settings.data_dir / "shelfcast.db").mkdir()
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert (await client.get("/health/live")).status_code == 200
    assert scraped(await client.get("/metrics"))["shelfcast_database_up", ()] == 0


async def test_requests_are_counted_by_route_and_never_by_id(client: httpx.AsyncClient):
    for path in ("/batch/a/status", "/batch/b/status", "/nowhere", "/elsewhere"):
        await client.get(path)
    answer = await client.get("/metrics")
    figures = scraped(answer)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert figures["shelfcast_http_requests_total", ("GET", "/batch/{session_id}/status", "401")] == 2
    assert figures["shelfcast_http_requests_total", ("GET", "unmatched", "404")] == 2
    assert figures["shelfcast_http_request_seconds_count", ("GET", "/batch/{session_id}/status")] == 2


async def test_every_state_is_there_from_the_start(client: httpx.AsyncClient):
    figures = scraped(await client.get("/metrics"))
    assert figures["shelfcast_database_up", ()] == 1
    for environment in ("live", "sandbox"):
        for state in ("right", "wrong", "unbound"):
            assert figures["shelfcast_displays", (environment, state)] == 0
        assert figures["shelfcast_gateways", (environment, "unreachable")] == 0
        assert figures["shelfcast_batches", (environment, "processing")] == 0
        assert figures["shelfcast_oldest_due_update_seconds", (environment,)] == 0


class TestFigures:
    """Counted alike on both databases."""

    @pytest.fixture
    def served(self, settings: Settings) -> Settings:
        return settings

    async def test_are_those_of_the_database(self, ctx: Shelfcast, client: httpx.AsyncClient, api: httpx.AsyncClient):
        await api.post("/batch/start")
        await fill(ctx)
        figures = scraped(await client.get("/metrics"))
        for name, state, count in (
            ("displays", "right", 1),
            ("displays", "wrong", 1),
            ("displays", "unbound", 1),
            ("updates", "pending", 1),
            ("updates", "sent", 0),
            ("gateways", "reachable", 0),
            ("gateways", "unreachable", 1),
            ("batches", "open", 1),
        ):
            assert (name, state, figures[f"shelfcast_{name}", ("live", state)]) == (name, state, count)
        assert 60 <= figures["shelfcast_oldest_due_update_seconds", ("live",)] < 120

    async def test_are_counted_again_after_a_while(
        self, client: httpx.AsyncClient, api: httpx.AsyncClient, later: Callable[[float], None]
    ):
        opened = ("shelfcast_batches", ("live", "open"))
        assert scraped(await client.get("/metrics"))[opened] == 0
        await api.post("/batch/start")
        assert scraped(await client.get("/metrics"))[opened] == 0
        later(FRESH_FOR / 1000)
        assert scraped(await client.get("/metrics"))[opened] == 1


async def fill(ctx: Shelfcast) -> None:
    """A gateway that is away, with a display that is right, one that is wrong and due, one unbound, one retired."""
    now = ctx.clock()
    gateway = {
        "store_id": 1,
        "id": "G",
        "name": "g",
        "driver": "simulator",
        "created_at": now,
        "unreachable_since": now,
    }
    display = {"store_id": 1, "organisation_id": 1, "driver": "simulator", "gateway_id": "G", "panel": "296x128-BWR",
               "created_at": now}  # fmt: skip
    displays = [
        display | {"id": id_, "address": id_, "desired_digest": desired, "shown_digest": shown, "retired_at": retired}
        for id_, desired, shown, retired in (
            ("right", "a", "a", None), ("wrong", "b", "a", None), ("unbound", None, None, None), ("gone", "b", "a", now)
        )
    ]  # fmt: skip
    bindings = [
        {"store_id": 1, "id": f"{id_}{slot}", "display_id": id_, "slot": slot, "barcode": "P", "bound_at": now}
        for id_, slot in (("right", 0), ("right", 1), ("wrong", 0))
    ]
    update = {"store_id": 1, "id": "U", "display_id": "wrong", "gateway_id": "G", "digest": "b", "revision": 1,
              "phase": "PENDING", "cause": "add", "created_at": now, "due_at": now - 60_000}  # fmt: skip

    async def work(conn: Any) -> None:
        for table, rows in (
            (tables.gateways, [gateway]),
            (tables.displays, displays),
            (tables.bindings, bindings),
            (tables.updates, [update]),
        ):
            await conn.execute(insert(table), rows)

    await ctx.db.write(work)


def scraped(answer: httpx.Response) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(value for name, value in sample.labels.items() if name != "le")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
