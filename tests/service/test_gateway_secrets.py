"""Secrets of gateways: sealed wherever they are kept, opened by workers alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from display_drivers import registry
from display_drivers.base import Setting
from display_drivers.errors import PermanentError
from service.app import create_app
from service.context import Shelfcast, opened
from service.errors import ConflictError
from service.gateways import gateway_settings, gateway_setup
from service.sealing import Sealer
from service.settings import Settings
from service.store import gateway_lists, tables
from service.tenants.stores import NewStore, create_store
from tests.shop import Shop, milk, opened_shop

SECRET = "hush-hush-4711"
OTHER_KEY = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMTI="


@pytest.fixture
async def shop(ctx: Shelfcast) -> AsyncIterator[Shop]:
    """A store whose gateways demand a secret; they were saved before secrets were sealed."""
    async with opened_shop(ctx, displays=2, gateways=2) as shop:
        await shop.bind({"SIM000001": [milk()["barcode"]]}, gateway="g1")
        await in_clear(shop.ctx, SECRET)
        yield shop


async def in_clear(ctx: Shelfcast, secret: str) -> None:
    """Give every gateway a secret as they were kept once."""

    async def work(connection: Any) -> None:
        rows = (await connection.execute(tables.gateways.select())).mappings().all()
        for row in rows:
            config = msgspec.json.encode(msgspec.json.decode(row["config"]) | {"secret": secret}).decode()
            change = tables.gateways.update().where(tables.gateways.c.id == row["id"]).values(config=config)
            await connection.execute(change)

    await ctx.db.write(work)


async def configs(ctx: Shelfcast) -> list[str]:
    async with ctx.db.read() as connection:
        return [row["config"] for row in await gateway_lists.configurations(connection, (0, ""), 1000)]


def in_files(settings: Settings, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in settings.data_dir.glob("shelfcast.db*"))


async def test_what_was_kept_in_clear_is_sealed_once_and_leaves_no_trace(shop: Shop) -> None:
    assert any(SECRET in config for config in await configs(shop.ctx))
    await gateway_setup.seal_stored(shop.ctx)
    sealed = await configs(shop.ctx)
    assert not any(SECRET in config for config in sealed)
    await gateway_setup.seal_stored(shop.ctx)
    assert await configs(shop.ctx) == sealed
    if shop.ctx.db.is_sqlite:
        assert not in_files(shop.ctx.settings, SECRET)


async def test_sealing_goes_on_chunk_after_chunk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_setup, "_SOME", 1)
    await gateway_setup.seal_stored(shop.ctx)
    assert not any(SECRET in config for config in await configs(shop.ctx))


async def test_a_worker_opens_what_is_sealed(shop: Shop) -> None:
    await gateway_setup.seal_stored(shop.ctx)
    await shop.add(milk())
    await shop.work()
    assert (await shop.prices())["SIM000001"] == "1.29"


async def test_a_wrong_key_is_its_gateways_error_and_everything_else_goes_on(shop: Shop) -> None:
    config = tables.gateways.update().where(tables.gateways.c.name == "g1")
    sealed = Sealer(replace(shop.ctx.settings, secret_key=OTHER_KEY)).seal(SECRET)
    kept = msgspec.json.encode({"url": shop.ready.gateways["g1"], "secret": sealed}).decode()
    await shop.ctx.db.write(lambda connection: connection.execute(config.values(config=kept)))
    await shop.bind({"SIM000002": ["2"]}, gateway="g2")
    await shop.add(milk(), {"barcode": "2", "name": "Bread", "price": "2.00"})
    await shop.lines.close()
    await shop.work()
    assert (await shop.prices())["SIM000002"] == "2.00"
    errors = {row["name"]: row["error"] for row in await shop.rows(tables.gateways)}
    assert errors["g2"] is None
    assert "sealed with another key" in errors["g1"]
    assert "SHELFCAST_SECRET_KEY" in errors["g1"]


async def test_a_secret_that_cannot_be_opened_is_entered_anew(shop: Shop) -> None:
    sealer = Sealer(replace(shop.ctx.settings, secret_key=OTHER_KEY))
    kept = gateway_settings.sealed(sealer, "simulator", {"url": "http://10.0.0.1", "secret": SECRET})
    with pytest.raises(ConflictError):
        gateway_settings.merged(shop.ctx.sealer, kept, {"url": "http://10.0.0.2"})
    merged = gateway_settings.merged(shop.ctx.sealer, kept, {"secret": "new"})
    assert merged == {"url": "http://10.0.0.1", "secret": "new"}


@pytest.mark.parametrize("starts", ["api", "worker's start"])
async def test_whoever_starts_first_seals(on_sqlite: Settings, starts: str) -> None:
    async with opened(on_sqlite) as ctx:
        await create_store(ctx, NewStore(slug="shop"))
        await gateway_setup.add_to(ctx, "shop", "g1", "simulator", {"url": "http://127.0.0.1:9"}, check=False)
        await in_clear(ctx, SECRET)
    if starts == "api":
        app = create_app(on_sqlite)
        async with app.lifespan():
            await asyncio.sleep(0)
    else:
        async with opened(on_sqlite) as ctx:
            await gateway_setup.seal_stored(ctx)
    assert not in_files(on_sqlite, SECRET)


def stated(*settings: Setting) -> Any:
    return lambda _name: settings or None


def broken(_name: str) -> None:
    raise PermanentError("There is no such driver.")


@pytest.mark.parametrize("states", [stated(), broken])
def test_where_a_driver_says_nothing_names_tell_what_is_secret(
    on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch, states: Any
) -> None:
    monkeypatch.setattr(registry, "settings", states)
    config = {"url": "http://10.0.0.1", "apiKey": "a", "PASSWORD": "b", "access_token": "c", "link": "x://u:pw@h/"}
    kept = gateway_settings.sealed(Sealer(on_sqlite), "acme", config)
    shown = gateway_settings.shown("acme", kept)
    assert shown == {"url": "http://10.0.0.1", "apiKey": "…", "PASSWORD": "…", "access_token": "…", "link": "…"}
    assert gateway_settings.opened(Sealer(on_sqlite), kept) == config


def test_what_a_driver_states_is_what_counts(on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = stated(Setting("keyboard", "Its layout."), Setting("pin", "Of the lid.", secret=True))
    monkeypatch.setattr(registry, "settings", own)
    kept = gateway_settings.sealed(Sealer(on_sqlite), "acme", {"keyboard": "qwertz", "pin": "1234"})
    assert gateway_settings.shown("acme", kept) == {"keyboard": "qwertz", "pin": "…"}
    assert not gateway_settings.in_clear("acme", kept)
    assert gateway_settings.in_clear("acme", '{"pin":"1234"}')


def test_our_own_drivers_state_their_settings() -> None:
    named = {name: [setting.name for setting in registry.settings(name) or ()] for name in registry.names()}
    assert named == {
        "gateway": ["url", "secret"],
        "simulator": ["url", "secret"],
        "openepaperlink": ["url", "manage", "pace", "settle", "patience"],
    }
