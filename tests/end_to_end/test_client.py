"""The client against real processes: a store run by its programs, from a product to the proof on the shelf."""

import asyncio
import io
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from service.client import Client, RefusedError
from service.core.scopes import Scope
from service.settings import Settings
from service.tenants import tokens
from tests.end_to_end.shelf import on_one_site

pytestmark = pytest.mark.timeout(240)
T = TypeVar("T")


def until(what: Callable[[], T | None], within: float = 60.0) -> T:
    """Wait for what only asking can tell."""
    give_up = time.monotonic() + within
    while (found := what()) is None:
        assert time.monotonic() < give_up
        time.sleep(0.05)  # in a thread of its own
    return found


async def test_a_program_runs_a_store_through_the_client(on_sqlite: Settings):
    async with on_one_site(on_sqlite, displays=20) as (site, store):
        async with site.opened() as ctx:
            token = (await tokens.issue(ctx, store.slug, "program", scopes=[Scope.ADMIN])).token
        await asyncio.to_thread(_run, site.url, token, store.shows)
        await store.shows_in_the_end(dict.fromkeys(store.shows.values(), "1.40"))


def _run(url: str, token: str, shows: dict[str, str]) -> None:
    address, barcode = next(iter(shows.items()))
    with Client(url, token, patience=20) as client:
        _imported(client, [f"{code},Product {code},1.00" for code in shows.values()])
        product = client.products.get_product(barcode, barcode=True)
        client.products.change_product(product.id, {"price": "9.99"})
        until(lambda: _right(client, address))
        shown = client.displays.get_display_at(address)
        assert (shown.known, shown.face is not None, shown.proof is not None) == (True, True, True)
        assert [bound.barcode for bound in client.displays.get_display(address).bound] == [barcode]
        with pytest.raises(RefusedError, match=barcode) as caught:
            client.displays.bind_display(address, "another")
        assert (caught.value.status, caught.value.code) == (409, "conflict")
        client.products.change_stock(product.id, {"set": "12"}, key="count-1")
        assert client.products.change_stock(product.id, {"adjust": "-2.5"}, key="till-1").stock == "9.5"
        assert [price.price for price in client.products.list_product_prices(product.id)] == ["9.99", "1.00"]
        _imported(client, [f"{code},Product {code},1.40" for code in shows.values()])
        assert {batch.status for batch in client.batches.list_batches()} == {"completed"}
        assert [gateway.name for gateway in client.gateways.list_gateways()] == ["g1", "g2", "g3", "g4"]
        assert client.chain.get_organisation().slug == "default"


def _imported(client: Client, rows: list[str]) -> None:
    """A whole file, sent and read."""
    asked = client.imports.start_import({})
    client.imports.upload_import(asked.id, io.BytesIO("\n".join(["barcode,name,price", *rows]).encode()))
    client.imports.finalize_import(asked.id)
    read = until(lambda: _over(client, asked.id))
    assert (read.status, read.rows_accepted) == ("completed", len(rows))
    until(lambda: client.feed.get_batch_status(str(read.session_id)).completed_at)


def _over(client: Client, import_id: str):
    found = client.imports.get_import(import_id)
    return found if found.status not in {"open", "processing"} else None


def _right(client: Client, address: str):
    return client.displays.get_display(address).right or None
