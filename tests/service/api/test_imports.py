"""The import API over HTTP: what curl sends, in parts, broken off, wrong."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest
from litestar import Litestar

from service.context import Shelfcast
from service.core.scopes import Scope
from service.ids import new_id
from service.importing.file_reading import Reader
from service.tenants import tokens
from tests.service.api.conftest import MAX_BODY
from tests.service.importer import table

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def files(connect: Any, ctx: Shelfcast, token: str) -> httpx.AsyncClient:
    return connect((await tokens.issue(ctx, "one", "files", scopes=[Scope.PRODUCTS_WRITE])).token)


@pytest.fixture
async def import_id(files: httpx.AsyncClient) -> str:
    return (await files.post("/api/v1/imports", json={"reference": "nightly"})).json()["id"]


async def read(ctx: Shelfcast, import_id: str) -> None:
    await Reader(ctx, 1, import_id, new_id()).run()


async def test_a_file_goes_its_whole_way(files: httpx.AsyncClient, ctx: Shelfcast):
    started = await files.post("/api/v1/imports", json={"reference": "nightly", "format": "generic"})
    new = started.json()
    assert (started.status_code, started.headers["Location"]) == (201, f"/api/v1/imports/{new['id']}")
    assert (new["status"], new["upload"]["maxBytes"]) == ("open", 256 * 1024 * 1024)
    content = gzip.compress("EAN;Artikel;Preis\n4006381333931;Käse;1.234,50 €\n1;Brot;x\n".encode("cp1252"))
    sent = await files.put(new["upload"]["path"], content=content, headers={"Content-Type": "application/gzip"})
    assert (sent.status_code, sent.json()["receivedBytes"]) == (200, len(content))
    finalized = await files.post(f"/api/v1/imports/{new['id']}/finalize")
    assert (finalized.status_code, finalized.headers["Retry-After"]) == (202, "5")
    await read(ctx, new["id"])
    done = (await files.get(f"/api/v1/imports/{new['id']}")).json()
    assert (done["status"], done["rowsRead"], done["rowsAccepted"], done["rowsRejected"]) == ("completed", 2, 1, 1)
    assert done["detected"] == {
        "format": "generic",
        "kind": "csv",
        "encoding": "windows-1252",
        "delimiter": ";",
        "decimal": {"price": ","},
        "columns": {"barcode": "EAN", "name": "Artikel", "price": "Preis"},
    }
    assert [one["id"] for one in (await files.get("/api/v1/imports?status=completed")).json()["data"]] == [new["id"]]
    assert (await files.get(f"/api/v1/imports/{new['id']}/differences")).status_code == 409


async def test_a_dry_run_is_answered_with_its_differences(files: httpx.AsyncClient, ctx: Shelfcast):
    new = (await files.post("/api/v1/imports", json={"dryRun": True})).json()
    await files.put(new["upload"]["path"], content=table(["1.00"]), headers=CSV)
    await files.post(f"/api/v1/imports/{new['id']}/finalize")
    waiting = (await files.get(f"/api/v1/imports/{new['id']}/differences")).json()
    assert (waiting["data"], waiting["summary"]) == ([], None)
    await read(ctx, new["id"])
    found = (await files.get(f"/api/v1/imports/{new['id']}/differences")).json()
    assert found["summary"]["created"] == 1
    assert found["data"][0]["fields"]["price"] == {"before": None, "after": "1.00"}


async def test_a_file_may_be_larger_than_any_other_body(files: httpx.AsyncClient, import_id: str):
    content = b"x" * (5 * MAX_BODY)
    sent = await files.put(f"/api/v1/imports/{import_id}/file", content=content)
    assert (sent.status_code, sent.json()["receivedBytes"]) == (200, len(content))


async def test_parts_say_where_they_belong(files: httpx.AsyncClient, import_id: str):
    path = f"/api/v1/imports/{import_id}/file"
    first = await files.put(path, content=b"abc", headers={"Content-Range": "bytes 0-2/9"})
    assert (first.status_code, first.json()["receivedBytes"], first.json()["totalBytes"]) == (200, 3, 9)
    gap = await files.put(path, content=b"ghi", headers={"Content-Range": "bytes 6-8/9"})
    assert gap.status_code == 409
    assert "bytes 3-" in gap.json()["detail"]
    short = await files.put(path, content=b"de", headers={"Content-Range": "bytes 3-5/9"})
    assert short.status_code == 400
    assert (await files.get(f"/api/v1/imports/{import_id}")).json()["receivedBytes"] == 5
    early = await files.post(f"/api/v1/imports/{import_id}/finalize")
    assert (early.status_code, early.json()["detail"][:12]) == (409, "5 of 9 bytes")
    last = await files.put(path, content=b"fghi", headers={"Content-Range": "bytes 5-8/*"})
    assert last.json()["receivedBytes"] == 9
    assert (await files.post(f"/api/v1/imports/{import_id}/finalize")).status_code == 202
    assert (await files.put(path, content=b"x")).status_code == 409


@pytest.mark.parametrize("written", ["bytes 3-2/9", "bytes 0-9/9", "bytes a-b/c", "0-2/9", "bytes */9"])
async def test_a_range_that_none_can_be_is_refused(files: httpx.AsyncClient, import_id: str, written: str):
    path = f"/api/v1/imports/{import_id}/file"
    refused = await files.put(path, content=b"abc", headers={"Content-Range": written})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["Content-Range"])


async def test_more_than_the_limit_is_refused_before_it_is_sent(files: httpx.AsyncClient, import_id: str):
    path = f"/api/v1/imports/{import_id}/file"
    refused = await files.put(path, content=b"x", headers={"Content-Range": "bytes 999999999-999999999/*"})
    assert refused.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        {"format": 1}, {"mode": "half"}, {"delimiter": "ab"}, {"decimal": ";"}, {"columns": {"name": 1}},
        {"keyFallback": "name"}, {"dryRun": "yes"}, {"format": "spar"}, {"encoding": "rot13"}, {"columns": {"x": "y"}},
        {"reference": "a\u0000"},
    ],
)  # fmt: skip
async def test_what_no_file_can_have_is_refused(files: httpx.AsyncClient, body: dict[str, Any]):
    refused = await files.post("/api/v1/imports", json=body)
    assert refused.status_code == 400
    assert refused.json()["fields"]


async def test_a_body_may_be_left_out(files: httpx.AsyncClient):
    assert (await files.post("/api/v1/imports")).status_code == 201


@pytest.mark.parametrize("sha256", ["0" * 64, "xyz"])
async def test_other_bytes_than_the_digests_are_refused(files: httpx.AsyncClient, import_id: str, sha256: str):
    await files.put(f"/api/v1/imports/{import_id}/file", content=b"abc")
    refused = await files.post(f"/api/v1/imports/{import_id}/finalize", json={"sha256": sha256})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["sha256"])
    assert (await files.get(f"/api/v1/imports/{import_id}")).json()["status"] == "open"


async def test_an_import_without_a_byte_is_not_finalized(files: httpx.AsyncClient, import_id: str):
    assert (await files.post(f"/api/v1/imports/{import_id}/finalize")).status_code == 409


async def test_cancelling_is_answered_with_the_import(files: httpx.AsyncClient, import_id: str):
    for _ in range(2):
        answer = await files.post(f"/api/v1/imports/{import_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


async def test_what_came_before_a_connection_broke_is_kept(app: Litestar, files: httpx.AsyncClient, import_id: str):
    """As a server tells it: the client is gone in the middle of the body."""
    path = f"/api/v1/imports/{import_id}/file"
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"x" * 1_500_000, "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("shelfcast", 80),
        "headers": [
            (b"authorization", files.headers["Authorization"].encode()), (b"content-length", b"2000000"),
        ],
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(_message: Any) -> None:
        return

    await app(scope, receive, send)  # type: ignore[arg-type]
    standing = (await files.get(f"/api/v1/imports/{import_id}")).json()
    assert (standing["receivedBytes"], standing["totalBytes"]) == (1_500_000, 2_000_000)
    rest = {"Content-Range": "bytes 1500000-1999999/2000000"}
    assert (await files.put(path, content=b"y" * 500_000, headers=rest)).json()["receivedBytes"] == 2_000_000
