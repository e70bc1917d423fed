from collections.abc import AsyncIterator

import pytest

from display_drivers.simulator.process import Ready, serving
from display_drivers.simulator.store import Options
from service.context import Shelfcast
from service.errors import ConflictError, DriverRefusedError, NotFoundError
from service.gateways import gateway_setup
from service.store import products
from service.tenants import stores
from service.tenants.stores import NewStore


async def test_the_first_store_makes_its_organisation_and_the_second_joins_it(ctx: Shelfcast):
    first = await stores.create_store(ctx, NewStore(slug="zagreb", locale="hr_HR"))
    second = await stores.create_store(ctx, NewStore(slug="lab", sandbox=True))
    assert first.organisation == second.organisation == "default"
    assert first.organisation_id == second.organisation_id
    assert (first.environment, second.environment) == ("live", "sandbox")
    assert first.locale == "hr-HR"
    assert await stores.stores(ctx) == [second, first]


async def test_a_new_store_counts_its_rows_from_one(ctx: Shelfcast):
    store = await stores.create_store(ctx, NewStore(slug="zagreb"))
    assert await ctx.db.write(lambda conn: products.next_sequence(conn, store.id, 3)) == 1


async def test_a_slug_is_taken_once(ctx: Shelfcast):
    await stores.create_store(ctx, NewStore(slug="zagreb"))
    with pytest.raises(ConflictError, match="another slug"):
        await stores.create_store(ctx, NewStore(slug="zagreb"))


async def test_everything_that_is_wrong_with_a_store_is_said_at_once():
    faults = NewStore(slug="Zagreb 1", currency="euro", timezone="Mars/Base", locale="croatian").faults()
    assert list(faults) == ["slug", "currency", "timezone", "locale"]


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "ä", "a b", "a_b", "a" * 64, "a\n"])
def test_what_is_no_slug_is_refused(slug: str):
    assert "slug" in NewStore(slug=slug).faults()


@pytest.mark.parametrize("slug", ["a", "0901", "zagreb-0901", "a" * 63])
def test_what_is_a_slug_is_taken(slug: str):
    assert NewStore(slug=slug).faults() == {}


@pytest.mark.parametrize("timezone", ["", "../etc/passwd", "/etc/localtime", "Europe", "europe/zagreb\0", "CEST"])
def test_what_is_no_time_zone_is_refused(timezone: str):
    assert "timezone" in NewStore(slug="a", timezone=timezone).faults()


@pytest.mark.parametrize("locale", ["en", "hr", "de-AT", "sr-Latn-RS", "es-419", "he_IL"])
def test_usual_locales_are_taken(locale: str):
    assert NewStore(slug="a", locale=locale).faults() == {}


@pytest.fixture
async def simulated() -> AsyncIterator[Ready]:
    async with serving(Options(displays=1, time_scale=0)) as ready:
        yield ready


@pytest.fixture
async def zagreb(ctx: Shelfcast) -> Shelfcast:
    await stores.create_store(ctx, NewStore(slug="zagreb"))
    return ctx


async def test_a_gateway_that_answers_is_saved(zagreb: Shelfcast, simulated: Ready):
    config = {"url": simulated.gateways["g1"]}
    added = await gateway_setup.add_to(zagreb, "zagreb", "ap-1", "simulator", config)
    assert await stores.gateways(zagreb, "zagreb") == [added]
    assert added.config == config


async def test_a_gateway_that_does_not_answer_is_not_saved(zagreb: Shelfcast):
    with pytest.raises(DriverRefusedError, match="--no-check"):
        await gateway_setup.add_to(zagreb, "zagreb", "ap-1", "simulator", {"url": "http://127.0.0.1:9"})
    assert await stores.gateways(zagreb, "zagreb") == []


async def test_a_gateway_is_saved_unopened_where_that_is_asked_for(zagreb: Shelfcast):
    config = {"url": "http://127.0.0.1:9"}
    await gateway_setup.add_to(zagreb, "zagreb", "ap-1", "simulator", config, check=False)
    assert [gateway.name for gateway in await stores.gateways(zagreb, "zagreb")] == ["ap-1"]


@pytest.mark.parametrize(("driver", "config"), [("telepathy", {}), ("simulator", {}), ("simulator", {"url": "x"})])
async def test_a_gateway_that_can_never_open_is_refused_even_unopened(
    zagreb: Shelfcast, driver: str, config: dict[str, str]
):
    with pytest.raises(DriverRefusedError):
        await gateway_setup.add_to(zagreb, "zagreb", "ap-1", driver, config, check=False)


async def test_a_gateways_name_is_taken_once_in_a_store(zagreb: Shelfcast):
    config = {"url": "http://127.0.0.1:9"}
    await stores.create_store(zagreb, NewStore(slug="split"))
    for store in ("zagreb", "split"):
        await gateway_setup.add_to(zagreb, store, "ap-1", "simulator", config, check=False)
    with pytest.raises(ConflictError):
        await gateway_setup.add_to(zagreb, "zagreb", "ap-1", "simulator", config)


async def test_a_gateway_of_a_store_that_does_not_exist_is_refused(ctx: Shelfcast):
    with pytest.raises(NotFoundError):
        await gateway_setup.add_to(ctx, "zagreb", "ap-1", "simulator", {}, check=False)
