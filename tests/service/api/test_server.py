"""The API as it runs: uvicorn on a port, event streams, and what comes in over a bare connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from service import feed
from service.api import streams
from service.app import Server, server
from service.context import Shelfcast
from service.settings import Settings
from service.tenants import stores, tokens


@dataclass
class Running:
    """A server on a free port, and a client of it."""

    server: Server
    life: asyncio.Task[None]
    port: int
    client: httpx.AsyncClient
    ctx: Shelfcast
    token: str

    async def start(self) -> str:
        return (await self.client.post("/batch/start")).json()["sessionId"]

    async def say(self, request: bytes) -> tuple[bytes, bytes]:
        """Send bytes, close our side; the head and the body of what comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.read()
        writer.close()
        await writer.wait_closed()
        return head, body


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nobody announces."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
async def running(served: Settings) -> AsyncIterator[Running]:
    api = server(replace(served, port=0))
    life = asyncio.create_task(api.serve())
    await until(lambda: api.started)
    ctx: Shelfcast = api.app.state.ctx
    await stores.create_store(ctx, stores.NewStore(slug="one"))
    token = (await tokens.issue(ctx, "one", "pos")).token
    port = api.servers[0].sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        yield Running(api, life, port, client, ctx, token)
    api.should_exit = True
    await life


async def events(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Events as an EventSource would see them; comments and fields without an event are left out."""
    event: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            event |= {name: value} if name else {}
        elif "data" in event:
            yield event
            event = {}
        else:
            event = {}


class TestEvents:
    async def test_the_state_comes_at_once_then_changes_and_the_stream_ends_after_the_last(self, running: Running):
        session = await running.start()
        seen: list[dict[str, Any]] = []
        async with running.client.stream("GET", f"/batch/{session}/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            async for event in events(response):
                assert event["event"] == "status"
                seen.append(json.loads(event["data"]) | {"id": event["id"]})
                if len(seen) == 1:
                    await running.client.post("/batch/push", json={"sessionId": session, "products": []})
                if len(seen) == 2:
                    await running.client.post(f"/batch/{session}/cancel")
        assert [(state["id"], state["status"], state["pushes"]) for state in seen] == [
            ("1", "open", 0),
            ("2", "open", 1),
            ("final", "cancelled", 1),
        ]
        assert seen[-1] == (await running.client.get(f"/batch/{session}/status")).json() | {"id": "final"}

    async def test_of_a_batch_that_is_over_only_the_last_state_comes(self, running: Running):
        session = await running.start()
        await running.client.post(f"/batch/{session}/cancel")
        async with running.client.stream("GET", f"/api/v1/batch/{session}/events") as response:
            assert [event["id"] async for event in events(response)] == ["final"]

    async def test_who_has_seen_the_last_state_is_told_to_stay_away(self, running: Running):
        session = await running.start()
        await running.client.post(f"/batch/{session}/cancel")
        answer = await running.client.get(f"/batch/{session}/events", headers={"Last-Event-ID": "final"})
        assert (answer.status_code, answer.content) == (204, b"")
        async with running.client.stream("GET", f"/batch/{session}/events", headers={"Last-Event-ID": "7"}) as response:
            assert [event["id"] async for event in events(response)] == ["final"]

    async def test_silence_is_broken_by_comments(self, running: Running, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(streams, "HEARTBEAT", 0.02)
        session = await running.start()
        async with running.client.stream("GET", f"/batch/{session}/events") as response:
            comments = [line async for line in first(response.aiter_lines(), 12) if line.startswith(":")]
        assert len(comments) > 1

    async def test_head_ends_with_the_headers(self, running: Running):
        answer = await running.client.head(f"/batch/{await running.start()}/events")
        assert (answer.status_code, answer.content) == (200, b"")

    async def test_a_reader_who_leaves_leaves_nothing_behind(self, running: Running):
        session = await running.start()
        before = asyncio.all_tasks()
        for _ in range(3):
            async with (
                httpx.AsyncClient() as client,
                client.stream(
                    "GET",
                    f"http://127.0.0.1:{running.port}/batch/{session}/events",
                    headers={"Authorization": f"Bearer {running.token}"},
                ) as response,
            ):
                await anext(events(response))
                assert asyncio.all_tasks() - before
        await until(lambda: not asyncio.all_tasks() - before)

    async def test_a_stop_ends_streams_at_once(self, running: Running):
        session = await running.start()
        async with running.client.stream("GET", f"/batch/{session}/events") as response:
            stream = events(response)
            await anext(stream)
            running.server.should_exit = True
            async with asyncio.timeout(2):
                assert [event async for event in stream] == []
        async with asyncio.timeout(2):
            await running.life

    async def test_a_database_that_fails_ends_the_stream_and_is_logged(
        self, running: Running, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
    ):
        session = await running.start()
        async with running.client.stream("GET", f"/batch/{session}/events") as response:
            stream = events(response)
            await anext(stream)
            monkeypatch.setattr(feed, "status", failing)
            assert [event async for event in stream] == []
        assert "event_stream_broken" in {line["event"] for line in logged}


async def failing(*_args: Any) -> Any:
    raise ConnectionError("the database went away")


async def first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        count -= 1
        if not count:
            return


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    b"hello\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nBroken Header: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
    b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
]


async def test_what_is_not_http_gets_a_problem_too(running: Running):
    for request in GARBAGE:
        head, body = await running.say(request)
        assert (request, head.split(b"\r\n")[0]) == (request, b"HTTP/1.1 400 Bad Request")
        assert b"content-type: application/problem+json\r\n" in head
        assert json.loads(body)["code"] == "validation_error"
        assert json.loads(body)["requestId"]


PATHS = [
    (b"/%ff%fe", 404),
    (b"/%00", 404),
    (b"/batch/%2e%2e%2fx/status", 404),
    (b"/batch/%F0%9F/status", 404),
    (b"/%", 404),
    (b"/%zz", 404),
    (b"//add", 405),
    (b"/add/", 405),
    (b"/add?%ff=%00&&&=", 405),
    (b"/" + b"a" * 60_000, 404),
    (b"*", 404),
    (b"http://elsewhere/add", 405),
]


async def test_no_path_is_more_than_unknown(running: Running):
    rest = f" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {running.token}\r\n\r\n"
    for path, status in PATHS:
        head, body = await running.say(b"GET " + path + rest.encode())
        assert (path, int(head.split()[1]), json.loads(body)["status"]) == (path, status, status)


async def test_a_host_that_is_none_is_refused(running: Running):
    head, body = await running.say(b"GET /health/live HTTP/1.1\r\nHost: a b<>\r\nConnection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "validation_error"


async def test_a_large_body_is_refused_before_it_is_sent(running: Running):
    head, body = await running.say(
        b"POST /add HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/json\r\nContent-Length: 999999999\r\n"
        + f"Authorization: Bearer {running.token}\r\n\r\n".encode()
    )
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["code"] == "too_large"


async def test_an_upgrade_to_websockets_is_not_taken(running: Running):
    head, _ = await running.say(
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 200 ")


async def test_a_chunked_body_is_taken(running: Running):
    async def body() -> AsyncIterator[bytes]:
        yield b'[{"barcode": "A", "name"'
        yield b': "A", "price": 1}]'

    answer = await running.client.post("/add", content=body(), headers={"Content-Type": "application/json"})
    assert answer.json()["created"] == 1


async def test_a_body_that_breaks_off_saves_nothing(running: Running, logged: list[Any]):
    _, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        b"POST /add HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
        + f"Authorization: Bearer {running.token}\r\n\r\n[".encode()
    )
    writer.close()
    await writer.wait_closed()
    await until(lambda: any(line.get("path") == "/add" for line in logged))
    assert [line["status"] for line in logged if line.get("path") == "/add"] == [400]
    assert (await running.client.post("/productUpdate", json=[{"barcode": "A"}])).status_code == 422


async def test_the_server_does_not_say_what_it_is_made_of(running: Running):
    assert "server" not in (await running.client.get("/health/live")).headers
