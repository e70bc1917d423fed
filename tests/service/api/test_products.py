"""`/add` and `/productUpdate`."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Product = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("path", ["/add", "/api/v1/add"])
async def test_a_new_product_is_created(api: httpx.AsyncClient, product: Product, path: str):
    answer = await api.post(path, json={"products": [product()]})
    assert answer.status_code == 200
    assert answer.json() | {"errors": [], "warnings": []} == answer.json()
    assert {name: answer.json()[name] for name in ("received", "accepted", "rejected", "created", "updated")} == {
        "received": 1, "accepted": 1, "rejected": 0, "created": 1, "updated": 0,
    }  # fmt: skip


async def test_the_same_barcode_again_is_updated(api: httpx.AsyncClient, product: Product):
    await api.post("/add", json=[product()])
    answer = await api.post("/add", json=[product(price="2.49")])
    assert (answer.json()["created"], answer.json()["updated"]) == (0, 1)


@pytest.mark.parametrize("again", ["1.99", 1.99, "1.990", {"amount": "1.99", "currency": "EUR"}])
async def test_the_same_price_written_otherwise_changes_nothing(api: httpx.AsyncClient, product: Product, again: Any):
    await api.post("/add", json=[product()])
    assert (await api.post("/add", json=[product(price=again)])).json()["unchanged"] == 1


async def test_a_sale_price_alone_is_enough(api: httpx.AsyncClient):
    answer = await api.post("/add", json=[{"barcode": "A", "name": "A", "salePrice": "0.99"}])
    assert answer.json()["created"] == 1


async def test_an_update_needs_a_barcode_only(api: httpx.AsyncClient, product: Product):
    await api.post("/add", json=[product()])
    answer = await api.post("/productUpdate", json={"products": [{"barcode": "P0001", "stock": 3}]})
    assert answer.json()["updated"] == 1


async def test_an_update_of_an_unknown_product_needs_its_name_and_price(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/productUpdate", json=[{"barcode": "B", "price": 1}, product(2)])
    assert answer.json()["created"] == 1
    assert [(error["index"], error["code"]) for error in answer.json()["errors"]] == [(0, "unknown_product")]


async def test_one_bad_row_does_not_fail_its_neighbours(api: httpx.AsyncClient, product: Product):
    rows = [product(1), product(2, price="-1"), product(3, name=None), 7, product(4)]
    answer = await api.post("/add", json={"products": rows})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["received"], body["accepted"], body["rejected"]) == (5, 2, 3)
    assert [(error["index"], error["barcode"], error["field"]) for error in body["errors"]] == [
        (1, "P0002", "price"),
        (2, "P0003", "name"),
        (3, None, None),
    ]


@pytest.mark.parametrize("path", ["/add", "/productUpdate"])
async def test_if_all_rows_are_refused_the_answer_is_a_problem_with_the_same_members(api: httpx.AsyncClient, path: str):
    answer = await api.post(path, json=[{"barcode": ""}, {"barcode": "A", "price": "NaN", "name": "A"}])
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "unprocessable"
    assert (body["received"], body["accepted"], body["rejected"]) == (2, 0, 2)
    assert {error["index"] for error in body["errors"]} == {0, 1}
    assert body["warnings"] == []


@pytest.mark.parametrize("path", ["/add", "/productUpdate"])
@pytest.mark.parametrize("body", [[], {"products": []}])
async def test_no_product_at_all_is_refused(api: httpx.AsyncClient, path: str, body: Any):
    answer = await api.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"products": "is empty"}


@pytest.mark.parametrize("path", ["/add", "/productUpdate"])
async def test_more_than_a_thousand_products_are_refused_and_none_is_saved(
    api: httpx.AsyncClient, product: Product, path: str
):
    assert (await api.post(path, json=[product(n) for n in range(1001)])).status_code == 413
    assert (await api.post(path, json=[product(n) for n in range(1000)])).json()["created"] == 1000


async def test_an_unknown_field_is_kept_out_with_a_warning(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/add", json=[product(colour="red")])
    assert answer.json()["accepted"] == 1
    assert [(warning["field"], warning["code"]) for warning in answer.json()["warnings"]] == [
        ("colour", "unknown_field")
    ]


async def test_of_two_rows_with_one_barcode_the_last_wins(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/add", json=[product(price=1), product(price=2)])
    assert (answer.json()["created"], answer.json()["duplicate"]) == (1, 1)
    assert (await api.post("/add", json=[product(price=2)])).json()["unchanged"] == 1


async def test_an_older_source_time_is_stale(api: httpx.AsyncClient, product: Product):
    await api.post("/add", json=[product(sourceUpdatedAt="2026-11-22T10:00:00Z")])
    answer = await api.post("/add", json=[product(price=9, sourceUpdatedAt="2026-11-22T09:00:00Z")])
    assert (answer.json()["stale"], answer.json()["updated"]) == (1, 0)


@pytest.mark.parametrize(
    "price", ["-1", "NaN", "Infinity", "1_000", "\u0661\u0662", "1" * 30, "1e3", "", "1,5", True, [], "1.00001"]
)
async def test_what_is_no_price_is_a_row_error(api: httpx.AsyncClient, product: Product, price: Any):
    answer = await api.post("/add", json=[product(1), product(2, price=price)])
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [(1, "price")]


async def test_a_price_of_zero_is_a_warning(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/add", json=[product(price=0)])
    assert [warning["code"] for warning in answer.json()["warnings"]] == ["zero_price"]


async def test_a_foreign_currency_is_a_row_error(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/add", json=[product(currency="USD")])
    assert [error["code"] for error in answer.json()["errors"]] == ["foreign_currency"]


async def test_control_characters_are_removed_from_text_and_refused_in_a_barcode(
    api: httpx.AsyncClient, product: Product
):
    answer = await api.post("/add", json=[product(name="A\u0000B"), product(2, barcode="A\u0000B")])
    assert [warning["code"] for warning in answer.json()["warnings"]] == ["text_cleaned"]
    assert [error["code"] for error in answer.json()["errors"]] == ["control_characters"]


@pytest.mark.parametrize("barcode", ["7", "!~", "x" * 64, "0000000000000", "4006381333932"])
async def test_any_barcode_of_visible_ascii_is_taken(api: httpx.AsyncClient, product: Product, barcode: str):
    assert (await api.post("/add", json=[product(barcode=barcode)])).json()["accepted"] == 1


async def test_a_barcode_as_a_number_is_refused(api: httpx.AsyncClient, product: Product):
    answer = await api.post("/add", json=[product(barcode=123)])
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("barcode", "wrong_type")]
