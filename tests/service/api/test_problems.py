"""One shape for every refusal on every path, and no input that breaks it."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from sqlalchemy.exc import OperationalError

from service import feed
from service.api.openapi import FAULTS
from service.context import Shelfcast
from service.errors import ServiceError

Connect = Callable[..., httpx.AsyncClient]


async def test_an_unknown_path_is_not_found_by_any_method(connect: Connect):
    client = connect()
    for path in ("/nowhere", "/add/x", "/batch", "/batch/", "/api", "/api/v2/add", "/batch/x/y"):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = await client.request(method, path)
            assert (path, answer.status_code, answer.json()["code"]) == (path, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/add", "OPTIONS, POST"),
        ("PUT", "/api/v1/add", "OPTIONS, POST"),
        ("DELETE", "/batch/x/status", "GET, HEAD, OPTIONS"),
        ("HEAD", "/batch/push", "OPTIONS, POST"),
        ("POST", "/health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_another_method_is_refused_and_the_right_ones_are_named(
    connect: Connect, method: str, path: str, allowed: str
):
    answer = await connect().request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_options_names_the_methods_of_a_path(connect: Connect):
    answer = await connect().options("/batch/x/status")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_head_is_get_without_its_body(api: httpx.AsyncClient, session: str):
    path = f"/batch/{session}/status"
    head, get = await api.head(path), await api.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_head_of_what_is_not_there_has_no_body_either(api: httpx.AsyncClient):
    answer = await api.head("/nowhere")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("id_", ["x", "POS-7:nightly.1", "a" * 128])
async def test_the_callers_request_id_is_kept(connect: Connect, id_: str):
    answer = await connect().get("/nowhere", headers={"X-Request-ID": id_})
    assert answer.headers["x-request-id"] == answer.json()["requestId"] == id_


@pytest.mark.parametrize("id_", ["", "a" * 129, "a b", "<script>", "a\x00", "\xff", "a\n"])
async def test_an_unsafe_request_id_is_replaced(connect: Connect, id_: str):
    answer = await connect().get("/nowhere", headers=[(b"X-Request-ID", id_.encode("latin-1"))])
    assert re.fullmatch("[0-9A-Z]{26}", answer.json()["requestId"])


async def test_the_type_of_a_problem_is_an_address_that_explains_it(connect: Connect):
    client = connect()
    page = (await client.get("/docs")).text
    path, _, anchor = (await client.get("/nowhere")).json()["type"].partition("#")
    assert path == "/docs"
    assert f'id="{anchor}"' in page


async def test_every_request_is_one_line_in_the_log(api: httpx.AsyncClient, session: str, logged: list[Any]):
    logged.clear()
    answer = await api.get(f"/batch/{session}/status?cursor=secret")
    lines = [line for line in logged if line["event"] == "request"]
    assert len(lines) == 1
    expected = {
        "method": "GET",
        "path": f"/batch/{session}/status",
        "status": 200,
        "request_id": answer.headers["x-request-id"],
        "store": "one",
    }
    assert lines[0] | expected == lines[0]
    assert "secret" not in repr(lines)


async def test_a_push_is_logged_with_its_batch(api: httpx.AsyncClient, session: str, logged: list[Any]):
    await api.post("/batch/push", json={"sessionId": session, "products": []})
    assert logged[-1]["batch_id"] == session


async def failing(*_args: Any, **_more: Any) -> Any:
    raise RuntimeError("SELECT secret FROM nowhere")


async def test_an_error_of_ours_tells_nothing_and_is_logged(
    app: Litestar, token: str, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
):
    monkeypatch.setattr(feed, "status", failing)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shelfcast") as client:
        answer = await client.get("/batch/x/status", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    line = next(line for line in logged if line["event"] == "unforeseen")
    assert "secret" in str(line["exc_info"])
    assert line["request_id"] == answer.json()["requestId"]


async def locked(*_args: Any, **_more: Any) -> Any:
    raise OperationalError("INSERT INTO secret", {}, Exception("database is locked"))


async def test_a_database_that_is_down_is_said_to_be_so(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed, "start", locked)
    answer = await api.post("/batch/start")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "INSERT" not in answer.text


async def test_a_database_that_was_taken_away_is_said_to_be_unavailable(api: httpx.AsyncClient, ctx: Shelfcast):
    file = ctx.settings.data_dir / "shelfcast.db"
    await ctx.db.close()
    for part in ctx.settings.data_dir.glob("shelfcast.db*"):
        part.unlink()
    file.mkdir()
    assert (await api.post("/batch/start")).status_code == 503


def test_every_error_has_its_words_in_the_document():
    assert {kind.code for kind in FAULTS} == {kind.code for kind in [ServiceError, *ServiceError.__subclasses__()]}


PATHS = st.sampled_from(
    ["/add", "/batch/push", "/batch/{}/status", "/batch/{}/errors", "/{}", "/api/v1/batch/{}/displays"]
)


@given(
    path=PATHS,
    part=st.binary(max_size=40),
    query=st.binary(max_size=60),
    body=st.binary(max_size=200),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    header=st.tuples(
        st.sampled_from(
            ["authorization", "content-type", "content-encoding", "content-length", "idempotency-key", "host", "cookie",
             "x-request-id", "x-forwarded-proto", "last-event-id", "accept", "transfer-encoding"]
        ),
        st.binary(max_size=40),
    ),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_request_however_broken_is_more_than_refused(
    app: Litestar, token: str, path: str, part: bytes, query: bytes, body: bytes, method: str, header: tuple[str, bytes]
):
    headers = {b"authorization": f"Bearer {token}".encode(), b"content-type": b"application/json"}
    headers[header[0].encode()] = header[1]
    status, answered = await exchange(app, method, path.replace("{}", part.decode("latin-1")), query, headers, body)
    assert status < 500
    assert method == "HEAD" or status < 400 or answered[b"content-type"] == b"application/problem+json"


async def exchange(
    app: Litestar, method: str, path: str, query: bytes, headers: dict[bytes, bytes], body: bytes
) -> tuple[int, dict[bytes, bytes]]:
    """As a server would hand it over: nothing of it was cleaned by a client."""
    sent: list[Any] = []
    events = [{"type": "http.request", "body": body, "more_body": False}]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip

    async def receive() -> Any:
        return events.pop() if events else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    start = next(message for message in sent if message["type"] == "http.response.start")
    return start["status"], dict(start["headers"])


async def test_options_names_every_method_of_a_path(api: httpx.AsyncClient):
    answer = await api.options("/api/v1/products")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    one = await api.options("/api/v1/products/01KAMW5T9E8Z3Q4R5S6T7V8W9X")
    assert one.headers["allow"] == "GET, HEAD, OPTIONS, PATCH"
