import asyncio
import csv
import io
import json
from pathlib import Path

import pytest

from service import feed
from service.cli import mapping
from service.cli.mapping import Line
from service.context import opened
from service.messages import Accepted, Window
from service.messages.products import BY_BARCODE, ProductPrice
from service.products import catalogue
from service.products.catalogue import Named
from service.settings import Settings
from service.store.chain_tables import audit
from service.tenants import tokens
from tests.service.cli.conftest import Shelfcast
from tests.shop import authenticate, raw

PRODUCTS = (
    {"barcode": "001", "name": "Milk 1 l", "price": "1.29", "salePrice": "0.99", "category": "Dairy", "stock": "-2"},
    {"barcode": "A/2", "name": "=Bread", "price": "2.5", "brand": "'+x", "alternateBarcodes": ["7", "8"]},
    {"barcode": "3", "name": "Tea", "price": "3", "onSale": False, "attributes": {"origin": "LK"}},
)


@pytest.fixture
def zagreb(shelfcast: Shelfcast, on_sqlite: Settings) -> Shelfcast:
    shelfcast("store", "create", "zagreb")
    sent(on_sqlite, *PRODUCTS)
    return shelfcast


def sent(settings: Settings, *products: dict[str, object]) -> Accepted:
    async def work() -> Accepted:
        async with opened(settings) as ctx:
            issued = await tokens.issue(ctx, "zagreb", f"POS {len(await tokens.listed(ctx))}")
            caller = await authenticate(ctx, issued.token)
            return await feed.change(ctx, caller, "whole", [raw(product) for product in products])

    return asyncio.run(work())


def test_products_are_listed_and_searched(zagreb: Shelfcast):
    listed = zagreb("product", "list", "--store", "zagreb")
    assert [line.split()[0] for line in listed.stdout.splitlines()[3:] if line.strip()] == ["A/2", "001", "3"]
    assert "3 products." in listed.stderr
    assert "Milk" in zagreb("product", "list", "--store", "zagreb", "--search", "MILK l").stdout
    found = zagreb("product", "list", "--store", "zagreb", "--sort", "-barcode", "--limit", "2", "--json")
    assert [json.loads(line)["barcode"] for line in found.stdout.splitlines()] == ["A/2", "3"]


def test_a_product_is_shown_with_what_it_cost(zagreb: Shelfcast):
    shown = zagreb("product", "show", "A/2", "--store", "zagreb")
    assert "=Bread (A/2)" in shown.stderr
    assert "2.50" in shown.stdout
    missing = zagreb("product", "show", "no", "--store", "zagreb")
    assert (missing.exit_code, "no product with the barcode no" in missing.stderr) == (1, True)


def test_a_product_is_archived_and_restored_by_somebody(zagreb: Shelfcast, on_sqlite: Settings):
    archived = zagreb("product", "archive", "001", "--store", "zagreb", "--reason", "Recalled")
    assert "Milk 1 l is archived; 0 displays follow." in archived.stderr
    assert "nothing is changed" in zagreb("product", "archive", "001", "--store", "zagreb").stderr
    assert "Milk" in zagreb("product", "list", "--store", "zagreb", "--archived").stdout
    assert "is on sale again" in zagreb("product", "restore", "001", "--store", "zagreb").stderr
    noted, prices = asyncio.run(history(on_sqlite))
    assert [action for action, _ in noted] == ["product.archived", "product.restored"]
    assert all(actor.startswith("command line") for _, actor in noted)
    assert [price.cause for price in prices] == ["restore", "archive", "add"]


async def history(settings: Settings) -> tuple[list[tuple[str, str]], list[ProductPrice]]:
    async with opened(settings) as ctx:
        shop = await catalogue.shop_named(ctx, "zagreb")
        prices = await catalogue.prices(ctx, shop, Named(BY_BARCODE, "001"), Window())
        async with ctx.db.read() as connection:
            rows = list(await connection.execute(audit.select().order_by(audit.c.id)))
        return [(row.action, row.actor) for row in rows if row.action.startswith("product.")], prices.data


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_exported_is_read_again_and_changes_nothing(
    zagreb: Shelfcast, on_sqlite: Settings, tmp_path: Path, form: mapping.Format
):
    file = tmp_path / f"products.{form}"
    exported = zagreb("product", "export", "--store", "zagreb", "--format", form, "--out", file)
    assert exported.exit_code == 0
    lines = [line for line in mapping.read(str(file), form, mapping.load(None), None) if isinstance(line, Line)]
    again = sent(on_sqlite, *(line.product for line in lines))
    assert (again.unchanged, again.errors) == (3, [])


def test_an_export_goes_to_standard_output(zagreb: Shelfcast):
    exported = zagreb("product", "export", "--store", "zagreb", "--category", "Dairy")
    assert [row["barcode"] for row in csv.DictReader(io.StringIO(exported.stdout))] == ["001"]
