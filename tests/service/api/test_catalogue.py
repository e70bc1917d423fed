"""Products through the management API: one by one, in lists, changed, and as files."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service.context import Shelfcast
from service.core.scopes import Scope
from service.store.chain_tables import audit
from service.tenants import tokens

Connect = Callable[..., httpx.AsyncClient]
Product = Callable[..., dict[str, Any]]


@pytest.fixture
async def shop(connect: Connect, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    """A client that may do everything with the products of the store."""
    scopes = [Scope.FEED, Scope.PRODUCTS_WRITE]
    client = connect((await tokens.issue(ctx, "one", "office", scopes=scopes)).token)
    client.base_url = httpx.URL("http://shelfcast/api/v1")
    return client


async def added(shop: httpx.AsyncClient, *products: dict[str, Any]) -> None:
    assert (await shop.post("/add", json=list(products))).json()["accepted"] == len(products)


async def path(shop: httpx.AsyncClient, barcode: str = "P0001") -> str:
    found = (await shop.get("/products", params={"barcode": barcode})).json()["data"]
    return f"/products/{found[0]['id']}"


async def names(shop: httpx.AsyncClient, **query: Any) -> list[str]:
    return [row["name"] for row in (await shop.get("/products", params=query)).json()["data"]]


async def test_a_product_is_answered_with_every_field_exactly_and_what_it_costs_now(
    shop: httpx.AsyncClient, product: Product
):
    await added(
        shop,
        product(
            price="2.9999", salePrice="1.5", saleEnd="2100-01-01T00:00:00Z", netContent="0.5", netContentUnit="kg",
            stock="12.50", attributes={"origin": "HR", "n": 1}, alternateBarcodes=["A", "B"], onSale=True,
        ),
    )  # fmt: skip
    found = (await shop.get(await path(shop))).json()
    assert found["price"] == "2.9999"
    assert (found["salePrice"], found["saleEnd"], found["stock"]) == ("1.50", "2100-01-01T00:00:00.000Z", "12.5")
    assert (found["attributes"], found["alternateBarcodes"]) == ({"origin": "HR", "n": 1}, ["A", "B"])
    assert (found["unitPrice"], found["archivedAt"], found["currency"]) == (None, None, "EUR")
    assert found["now"] == {
        "price": "1.50",
        "regularPrice": "2.9999",
        "onSale": True,
        "until": "2100-01-01T00:00:00.000Z",
        "unitPrice": "3.00",
        "unitPriceUnit": "kg",
        "lowestPrice30Days": None,
    }


async def test_the_lowest_price_during_a_sale_is_that_of_before(shop: httpx.AsyncClient, product: Product):
    for price in ("3.00", "2.00", "2.50"):
        await added(shop, product(price=price))
    await added(shop, product(price="2.50", salePrice="1.00"))
    assert (await shop.get(await path(shop))).json()["now"]["lowestPrice30Days"] == "2.00"
    await added(shop, product(price="2.50"))
    assert (await shop.get(await path(shop))).json()["now"]["lowestPrice30Days"] == "1.00"


async def test_a_barcode_with_a_slash_is_reached_by_every_operation(shop: httpx.AsyncClient):
    named = {"barcode": "A/1+2?"}
    await added(shop, {**named, "name": "Odd", "price": 1, "stock": 1})
    for way in ("", "/stock", "/prices", "/changes", "/displays"):
        assert (await shop.get(f"/products/by-barcode{way}", params=named)).status_code == 200
    assert (await shop.patch("/products/by-barcode", params=named, json={"price": "2"})).json()["outcome"] == "updated"
    for verb in ("archive", "restore"):
        assert (await shop.post(f"/products/by-barcode/{verb}", params=named)).json()["outcome"] == f"{verb}d"
    assert (await shop.get("/products/by-barcode")).status_code == 400
    assert (await shop.get("/products/by-barcode", params={"barcode": "no"})).status_code == 404


@pytest.mark.parametrize("unknown", ["01KAMW5T9E8Z3Q4R5S6T7V8W9X", "P0001", "x"])
async def test_what_is_no_product_is_not_found(shop: httpx.AsyncClient, product: Product, unknown: str):
    await added(shop, product())
    assert (await shop.get(f"/products/{unknown}")).status_code == 404


async def test_words_are_found_in_any_order_and_any_case_of_any_script(shop: httpx.AsyncClient, product: Product):
    await added(
        shop, product(1, name="Žuti ČAJ 20 kom"), product(2, name="Чай чёрный"), product(3, name="Straße", brand="ÄÖ")
    )
    assert await names(shop, search="čaj ŽUTI") == ["Žuti ČAJ 20 kom"]
    assert await names(shop, search="ЧЁРНЫЙ") == ["Чай чёрный"]
    assert await names(shop, search="STRASSE äö") == ["Straße"]
    assert await names(shop, search="p0002") == ["Чай чёрный"]
    assert await names(shop, search="čaj zelen") == []
    assert await names(shop, search="%") == await names(shop, search="_") == []
    assert len(await names(shop, search=" ")) == 3


async def test_a_list_is_filtered_sorted_and_counted(shop: httpx.AsyncClient, product: Product):
    await added(shop, *(product(n, name=name, category=f"C{n % 2}") for n, name in enumerate("bDaCe", 1)))
    await shop.post(f"{await path(shop, 'P0003')}/archive")
    assert await names(shop) == ["b", "C", "D", "e"]
    assert await names(shop, sort="-name") == ["e", "D", "C", "b"]
    assert await names(shop, sort="barcode") == ["b", "D", "C", "e"]
    assert await names(shop, sort="-barcode", category="C1") == ["e", "b"]
    assert await names(shop, archived="true") == ["a"]
    assert await names(shop, barcode="P0003") == ["a"]
    assert await names(shop, barcode="P0003", archived="false") == []
    assert await names(shop, barcode="P0001", search="x") == await names(shop, barcode="P0001", category="C0") == []
    meta = (await shop.get("/products", params={"perPage": 3})).json()["meta"]
    assert (meta["count"], meta["total"]) == (3, 4)
    rest = (await shop.get("/products", params={"perPage": 3, "cursor": meta["next"]})).json()
    assert [row["name"] for row in rest["data"]] == ["e"]
    assert rest["meta"]["next"] is None
    assert await names(shop, perPage=3, page=2) == ["e"]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "WyJhXHUwMDAwIiwiYiJd"},  # a NUL
        {"cursor": "WyJhIl0=", "sort": "name"},
        {"search": "a\0"},
        {"category": ""},
        {"sort": "price"},
        {"archived": "perhaps"},
        {"page": "2000", "perPage": "1000"},
        {"barcode": "ž"},
    ],
)
async def test_a_query_that_is_wrong_is_refused(shop: httpx.AsyncClient, query: dict[str, str]):
    assert (await shop.get("/products", params=query)).status_code == 400


async def test_a_product_is_created_once(shop: httpx.AsyncClient, product: Product):
    created = await shop.post("/products", json=product(price="2.345"))
    assert created.status_code == 201
    assert (created.json()["outcome"], created.json()["displays"]) == ("created", 0)
    assert [warning["code"] for warning in created.json()["warnings"]] == ["rounded_on_the_shelf"]
    assert (await shop.get(created.headers["location"].removeprefix("/api/v1"))).json() == created.json()["product"]
    again = await shop.post("/products", json=product(price="9"))
    assert again.status_code == 409
    assert created.json()["product"]["createdAt"] in again.json()["detail"]
    assert created.json()["product"]["id"] in again.json()["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"barcode": "A", "price": 1}, "required"),
        ({"barcode": "A", "name": "A", "price": -1}, "negative"),
        (7, "wrong_type"),
    ],
)
async def test_a_product_that_cannot_be_is_refused_as_a_row_of_the_feed(shop: httpx.AsyncClient, body: Any, code: str):
    refused = await shop.post("/products", json=body)
    assert refused.status_code == 422
    assert [error["code"] for error in refused.json()["errors"]] == [code]
    assert await names(shop) == []


async def test_a_change_keeps_what_is_absent_and_clears_what_is_null(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(salePrice="1.00", brand="Brand", category="C"))
    way = await path(shop)
    changed = (await shop.patch(way, json={"brand": None, "price": "3.10", "barcode": "P0001"})).json()
    assert (changed["outcome"], changed["product"]["brand"], changed["product"]["salePrice"]) == (
        "updated",
        None,
        "1.00",
    )
    assert (changed["product"]["price"], changed["product"]["category"]) == ("3.10", "C")
    assert (await shop.patch(way, json={"price": "3.1"})).json()["outcome"] == "unchanged"
    assert (await shop.patch(way, json={})).json()["outcome"] == "unchanged"
    assert (await shop.patch(way, json={"barcode": "other"})).status_code == 400
    assert (await shop.patch(way, json={"name": None})).status_code == 422
    assert (await shop.patch(way, json={"price": None, "salePrice": None})).status_code == 422
    assert (await shop.get(way)).json()["price"] == "3.10"


async def test_an_older_source_does_not_overwrite_a_newer_one(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(sourceUpdatedAt="2026-01-02T00:00:00Z"))
    old = {"price": "9", "sourceUpdatedAt": "2026-01-01T00:00:00Z"}
    assert (await shop.patch(await path(shop), json=old)).status_code == 409


async def test_what_is_archived_is_kept_and_restored_as_it_was(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(salePrice="1.00", stock=3))
    way = await path(shop)
    before = (await shop.get(way)).json()
    archived = (await shop.post(f"{way}/archive", json={"reason": "Recalled"})).json()
    assert archived["product"]["archivedAt"]
    assert archived["product"]["now"]["price"] is None
    assert (await shop.patch(way, json={"price": 1})).status_code == 409
    assert (await shop.post(f"{way}/stock", json={"set": 1})).status_code == 409
    assert (await shop.post(f"{way}/archive")).json()["outcome"] == "unchanged"
    restored = (await shop.post(f"{way}/restore")).json()
    kept = {name: value for name, value in restored["product"].items() if name not in {"updatedAt", "now"}}
    assert kept == {name: value for name, value in before.items() if name not in {"updatedAt", "now"}}
    assert (await shop.post(f"{way}/restore")).json()["outcome"] == "unchanged"
    changes = (await shop.get(f"{way}/changes")).json()["data"]
    assert [(one["cause"], one["fields"], one["reason"]) for one in changes] == [
        ("restore", [{"field": "archived", "before": True, "after": False}], None),
        ("archive", [{"field": "archived", "before": False, "after": True}], "Recalled"),
    ]


async def test_stock_is_counted_exactly_and_repeated_once(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(unit="kg"))
    way = f"{await path(shop)}/stock"
    assert (await shop.get(way)).json()["stock"] is None
    assert (await shop.post(way, json={"adjust": 1})).status_code == 409
    assert (await shop.post(way, json={"set": "0.1"})).json()["stock"] == "0.1"
    key = {"Idempotency-Key": "till-7"}
    sent = await shop.post(way, content=b'{"adjust": 0.2, "reason": "Returned"}', headers=key | JSON)
    again = await shop.post(way, content=b'{"adjust": 0.2, "reason": "Returned"}', headers=key | JSON)
    assert sent.json() == again.json()
    assert (sent.json()["before"], sent.json()["stock"]) == ("0.1", "0.3")
    assert (await shop.post(way, json={"adjust": 1}, headers=key)).status_code == 409
    assert (await shop.post(way, json={"adjust": "-2.55"})).json()["stock"] == "-2.25"
    assert (await shop.post(way, json={"set": None})).json()["stock"] is None
    changes = (await shop.get(f"{await path(shop)}/changes")).json()["data"]
    assert [(one["fields"][0]["before"], one["fields"][0]["after"], one["reason"]) for one in changes] == [
        ("-2.25", None, None),
        ("0.3", "-2.25", None),
        ("0.1", "0.3", "Returned"),
        (None, "0.1", None),
    ]


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"adjust": 1, "set": 1},
        {"adjust": None},
        {"adjust": "x"},
        {"set": True},
        {"set": "1e3"},
        {"set": 1, "reason": "\0"},
    ],
)
async def test_what_is_no_change_of_stock_is_refused(shop: httpx.AsyncClient, product: Product, body: Any):
    await added(shop, product(stock=1))
    assert (await shop.post(f"{await path(shop)}/stock", json=body)).status_code == 400


async def test_a_stock_that_grows_beyond_every_quantity_is_refused(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(stock="999999999999"))
    assert (await shop.post(f"{await path(shop)}/stock", json={"adjust": 1})).status_code == 400


async def test_what_the_feed_says_of_fields_is_kept_and_of_stock_is_not(shop: httpx.AsyncClient, product: Product):
    await added(shop, product(attributes={"a": 1, "b": 2}))
    await added(shop, product(stock=5, price="7"))
    await added(shop, product(name="Other", saleEnd="2100-01-01T00:00:00Z", attributes={"a": 1, "b": 3}))
    (change,) = (await shop.get(f"{await path(shop)}/changes")).json()["data"]
    assert (change["cause"], change["token"], change["push"]) == ("add", "office", None)
    assert {one["field"]: (one["before"], one["after"]) for one in change["fields"]} == {
        "name": ("Product 1", "Other"),
        "saleEnd": (None, "2100-01-01T00:00:00.000Z"),
        "attributes.b": (2, 3),
    }


async def test_prices_are_listed_newest_first_with_their_cause(shop: httpx.AsyncClient, product: Product):
    await shop.post("/products", json=product())
    way = await path(shop)
    await shop.patch(way, json={"price": "2.49"})
    await shop.post(f"{way}/archive")
    await shop.post(f"{way}/restore")
    listed = (await shop.get(f"{way}/prices", params={"perPage": 3})).json()
    rest = (await shop.get(f"{way}/prices", params={"cursor": listed["meta"]["next"]})).json()
    found = listed["data"] + rest["data"]
    assert [(one["cause"], one["price"], one["effectivePrice"]) for one in found] == [
        ("restore", "2.49", "2.49"),
        ("archive", "2.49", None),
        ("update", "2.49", "2.49"),
        ("add", "1.99", "1.99"),
    ]
    assert {(one["token"], one["barcode"], one["firstProvenAt"]) for one in found} == {("office", "P0001", None)}
    assert all(one["causeId"] for one in found)


async def test_prices_of_the_store_are_followed_without_a_gap(
    shop: httpx.AsyncClient, product: Product, later: Callable[[float], None]
):
    await added(shop, *(product(n) for n in range(5)))
    assert (await shop.get("/prices")).json()["data"] == []  # not settled yet
    later(3)
    first = (await shop.get("/prices", params={"perPage": 3})).json()
    second = (await shop.get("/prices", params={"cursor": first["meta"]["next"]})).json()
    assert [one["barcode"] for one in first["data"] + second["data"]] == [f"P000{n}" for n in range(5)]
    nothing = (await shop.get("/prices", params={"cursor": second["meta"]["next"]})).json()
    assert (nothing["data"], nothing["meta"]["next"]) == ([], second["meta"]["next"])
    assert (await shop.get("/prices", params={"since": "2100-01-01"})).json()["data"] == []
    assert len((await shop.get("/prices", params={"since": "2020-01-01"})).json()["data"]) == 5
    assert (await shop.get("/prices", params={"since": "yesterday"})).status_code == 400


async def test_whoever_changes_a_product_is_in_the_audit_log(shop: httpx.AsyncClient, ctx: Shelfcast, product: Product):
    made = (await shop.post("/products", json=product())).json()["product"]
    way = await path(shop)
    await shop.patch(way, json={"price": "2.00", "brand": "B"})
    await shop.patch(way, json={"price": "2.00"})  # changes nothing
    await shop.post(f"{way}/stock", json={"set": 2, "reason": "Counted"})
    for verb in ("archive", "archive", "restore"):
        await shop.post(f"{way}/{verb}")
    async with ctx.db.read() as connection:
        rows = (await connection.execute(audit.select().order_by(audit.c.id))).mappings().all()
    rows = [row for row in rows if row["action"].startswith(("product.", "stock."))]
    assert [row["action"] for row in rows] == [
        "product.created", "product.changed", "stock.adjusted", "product.archived", "product.restored",
    ]  # fmt: skip
    assert {(row["subject"], row["name"], row["actor"]) for row in rows} == {(made["id"], "P0001", "token office")}
    assert json.loads(rows[1]["detail"])["changed"] == {"price": ["1.99", "2.00"], "brand": [None, "B"]}
    assert json.loads(rows[2]["detail"]) == {"before": None, "after": "2", "reason": "Counted"}


async def test_a_reader_changes_nothing(connect: Connect, ctx: Shelfcast, shop: httpx.AsyncClient, product: Product):
    await added(shop, product())
    reader = connect((await tokens.issue(ctx, "one", "till", scopes=[Scope.PRODUCTS_READ])).token)
    way = "/api/v1" + await path(shop)
    assert (await reader.get(way)).status_code == 200
    for answer in (
        reader.patch(way, json={}),
        reader.post(f"{way}/archive"),
        reader.post(f"{way}/stock", json={"set": 1}),
    ):
        assert (await answer).status_code == 403


async def test_a_store_lists_its_own_products_alone(
    connect: Connect,
    ctx: Shelfcast,
    shop: httpx.AsyncClient,
    product: Product,
    new_store: Callable[[str], Awaitable[str]],
):
    await added(shop, product())
    await new_store("two")
    other = connect((await tokens.issue(ctx, "two", "office", scopes=[Scope.ADMIN])).token)
    assert (await other.get("/api/v1/products")).json()["data"] == []
    assert (await other.get("/api/v1/products", params={"barcode": "P0001"})).json()["data"] == []
    assert (await other.get("/api/v1/prices")).json()["data"] == []
    assert "P0001" not in (await other.get("/api/v1/products/export.csv")).text


async def test_an_export_says_what_is_there_and_no_cell_is_executed(shop: httpx.AsyncClient, product: Product):
    await added(
        shop,
        product(1, name="=HYPERLINK(1)", brand="'=x", stock="-2.5", alternateBarcodes=["A", "B"], onSale=False),
        product(2, name='Say "a, b"', category="C"),
        product(3),
    )
    await shop.post(f"{await path(shop, 'P0003')}/archive")
    exported = await shop.get("/products/export.csv")
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert [row["barcode"] for row in rows] == ["P0001", "P0002"]
    assert (rows[0]["name"], rows[0]["brand"], rows[0]["stock"]) == ("'=HYPERLINK(1)", "''=x", "-2.5")
    assert (rows[0]["alternateBarcodes"], rows[0]["onSale"], rows[0]["price"]) == ("A B", "false", "1.99")
    assert rows[1]["name"] == 'Say "a, b"'
    assert 'filename="products.csv"' in exported.headers["content-disposition"]
    lines = (await shop.get("/products/export.ndjson", params={"category": "C"})).text.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"barcode": "P0002", "name": 'Say "a, b"', "price": "1.99", "category": "C", "currency": "EUR"}
    ]
    archived = (await shop.get("/products/export.ndjson", params={"archived": "true"})).text
    assert json.loads(archived)["barcode"] == "P0003"


async def test_an_export_is_compressed_only_for_who_takes_that(shop: httpx.AsyncClient, product: Product):
    await added(shop, product())
    packed = await shop.get("/products/export.ndjson", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["barcode"] == "P0001"
    plain = await shop.get("/products/export.ndjson", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers


async def test_what_is_exported_can_be_sent_again_and_changes_nothing(shop: httpx.AsyncClient, product: Product):
    await added(
        shop,
        product(1, salePrice="1.2345", saleStart="2026-01-01", saleEnd="2100-01-01", attributes={"a": [1.5]}),
        product(2, sourceUpdatedAt="2026-01-01T00:00:00Z", netContent="0.75", netContentUnit="l", deposit="0.07"),
    )
    lines = (await shop.get("/products/export.ndjson")).text.splitlines()
    again = (await shop.post("/add", json=[json.loads(line) for line in lines])).json()
    assert (again["unchanged"], again["errors"]) == (2, [])
