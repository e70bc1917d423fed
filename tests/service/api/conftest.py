"""A real application on a real SQLite file; every answer is checked against the API's own document."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from litestar import Litestar
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from service.app import create_app
from service.context import Shelfcast
from service.settings import Settings
from service.tenants import stores, tokens
from tests.contract.documented import check

MAX_BODY = 256 * 1024


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


@pytest.fixture
def served(on_sqlite: Settings) -> Settings:
    """What the application runs with; a module that matters on both databases has its own."""
    return replace(on_sqlite, max_body=MAX_BODY)


@functools.cache
def built(max_body: int) -> Litestar:
    """Its routes, which take a third of a second to build, are the same for all; it is started anew for every test."""
    return create_app(Settings(max_body=max_body))


@pytest.fixture
async def app(served: Settings) -> AsyncIterator[Litestar]:
    """The application, started and done with what it does then; its life is one task, as a server's is."""
    app = built(served.max_body)
    app.state.settings = served
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    await started.wait()
    await asyncio.wait([app.state.sealing])
    yield app
    stop.set()
    await life


@pytest.fixture
def ctx(app: Litestar) -> Shelfcast:
    return app.state.ctx


@pytest.fixture
def later(app: Litestar, ctx: Shelfcast) -> Callable[[float], None]:
    """Move the application's clock on by some seconds."""

    def move(seconds: float) -> None:
        app.state.ctx = replace(ctx, clock=lambda: ctx.clock() + int(seconds * 1000))

    return move


Store = Callable[[str], Awaitable[str]]


@pytest.fixture
def new_store(ctx: Shelfcast) -> Store:
    """Make a store of this slug; its token."""

    async def make(slug: str) -> str:
        await stores.create_store(ctx, stores.NewStore(slug=slug))
        return (await tokens.issue(ctx, slug, "pos")).token

    return make


@pytest.fixture
async def token(new_store: Store) -> str:
    return await new_store("one")


@pytest.fixture
async def connect(app: Litestar) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """A client of the application, with this token, from this address."""
    clients: list[httpx.AsyncClient] = []

    def make(token: str | None = None, peer: str | None = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(peer, 40000) if peer else None)  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [check]}
        client = httpx.AsyncClient(transport=transport, base_url="http://shelfcast", headers=headers, event_hooks=hooks)
        clients.append(client)
        return client

    yield make
    await asyncio.gather(*(client.aclose() for client in clients))


@pytest.fixture
def api(connect: Callable[..., httpx.AsyncClient], token: str) -> httpx.AsyncClient:
    return connect(token)


@pytest.fixture
async def session(api: httpx.AsyncClient) -> str:
    return (await api.post("/batch/start")).json()["sessionId"]


@pytest.fixture
def product() -> Callable[..., dict[str, Any]]:
    def make(number: int = 1, **fields: Any) -> dict[str, Any]:
        return {"barcode": f"P{number:04}", "name": f"Product {number}", "price": "1.99"} | fields

    return make
