"""What a body may be, before anything is done with it."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

MAX_BODY = 256 * 1024
JSON = {"Content-Type": "application/json"}
ONE = json.dumps({"products": [{"barcode": "A", "name": "A", "price": 1}]}).encode()
ZIPPED = gzip.compress(ONE, mtime=0)  # of no time: what a test is named after is the same in every process


async def add(api: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.post("/add", content=content, headers=sent)


@pytest.mark.parametrize(
    "media",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/x+json"],
)
async def test_json_is_taken_under_each_of_its_names(api: httpx.AsyncClient, media: str):
    assert (await add(api, ONE, Content_Type=media)).status_code == 200


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "", "json"],
)
async def test_another_media_type_is_refused(api: httpx.AsyncClient, media: str):
    assert (await add(api, ONE, Content_Type=media)).status_code == 415


async def test_a_media_type_of_stray_bytes_is_refused(api: httpx.AsyncClient):
    answer = await api.post("/add", content=ONE, headers=[(b"Content-Type", b"a\xff/\x01b")])
    assert answer.status_code == 415


async def test_a_body_without_a_media_type_is_refused(api: httpx.AsyncClient):
    assert (await api.post("/add", content=ONE)).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"products": [}',
        b'\xef\xbb\xbf{"products": []}',
        b'{"products": []} {}',
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"products": [{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]}",
        b'{"products": [{"barcode": "\xff"}]}',
        b'{"products": ["\\ud800"]}',
        b'{"products": [NaN]}',
        "{}".encode("utf-16"),
    ],
)
async def test_what_is_not_json_in_utf8_is_refused(api: httpx.AsyncClient, body: bytes):
    answer = await add(api, body)
    assert answer.status_code == 400
    assert answer.json()["fields"].keys() == {"body"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "products"),
        ("5", "body"),
        ("null", "body"),
        ('{"products": null}', "products"),
        ('{"products": {}}', "products"),
    ],
)
async def test_a_body_without_a_list_of_products_is_refused(api: httpx.AsyncClient, body: str, field: str):
    answer = await add(api, body)
    assert answer.status_code == 400
    assert answer.json()["fields"].keys() == {field}


async def test_a_bare_list_of_products_is_taken(api: httpx.AsyncClient):
    assert (await add(api, json.dumps(json.loads(ONE)["products"]))).json()["accepted"] == 1


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
async def test_a_gzip_body_is_taken(api: httpx.AsyncClient, encoding: str):
    assert (await add(api, ZIPPED, Content_Encoding=encoding)).status_code == 200


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "utf-8"])
async def test_another_content_encoding_is_refused(api: httpx.AsyncClient, encoding: str):
    assert (await add(api, ZIPPED, Content_Encoding=encoding)).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        ONE,
        b"",
        zlib.compress(ONE),
        ZIPPED[:-1],
        ZIPPED[:20],
        ZIPPED + b"x",
        ZIPPED + ZIPPED,
        ZIPPED[:-8] + bytes(8),
    ],
)
async def test_damaged_gzip_is_refused(api: httpx.AsyncClient, body: bytes):
    answer = await add(api, body, Content_Encoding="gzip")
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"body": "is not gzip"}


async def test_a_gzip_body_that_expands_beyond_the_limit_is_refused(api: httpx.AsyncClient):
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    assert len(bomb) < 1000
    assert (await add(api, bomb, Content_Encoding="gzip")).status_code == 413


async def test_a_gzip_body_may_expand_to_the_very_limit(api: httpx.AsyncClient):
    body = gzip.compress(ONE.ljust(MAX_BODY))
    assert (await add(api, body, Content_Encoding="gzip")).status_code == 200


async def test_a_body_of_the_very_limit_is_taken_and_one_byte_more_refused(api: httpx.AsyncClient):
    assert (await add(api, ONE.ljust(MAX_BODY))).status_code == 200
    assert (await add(api, ONE.ljust(MAX_BODY + 1))).status_code == 413


async def test_a_body_over_the_limit_is_refused_without_being_read(api: httpx.AsyncClient):
    async def body() -> AsyncIterator[bytes]:
        pytest.fail("was read")
        yield b""

    answer = await add(api, body(), Content_Length=str(MAX_BODY + 1))
    assert answer.status_code == 413


async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(api: httpx.AsyncClient):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_BODY:
            sent += 1024
            yield b" " * 1024

    assert (await add(api, endless())).status_code == 413
    assert sent <= MAX_BODY + 1024


async def test_gzip_that_is_larger_than_the_limit_itself_is_refused(api: httpx.AsyncClient):
    assert (await add(api, bytes(MAX_BODY + 1), Content_Encoding="gzip")).status_code == 413


async def test_members_that_nobody_asked_for_are_ignored(api: httpx.AsyncClient):
    body = json.dumps(json.loads(ONE) | {"storeId": 7, "nested": {"a": [1]}})
    assert (await add(api, body)).status_code == 200


async def test_prices_are_never_read_as_floats(api: httpx.AsyncClient):
    long = b'{"products": [{"barcode": "A", "name": "A", "price": 1.00000000000000000001}]}'
    answer = await add(api, long)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["too_many_decimals"]
