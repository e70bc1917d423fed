"""The API process: Litestar, and uvicorn around it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket

import msgspec
import uvicorn
from litestar import Litestar, Request, Router
from litestar.di import Provide
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service import collecting
from service.api.answers import PROBLEM_JSON, fault, refuse
from service.api.batches import AuditController, BatchesController, GuardsController
from service.api.catalogue import CatalogueController
from service.api.displays import DisplaysController, EvidenceController
from service.api.envelope import Envelope
from service.api.feed import BatchController, ProductsController
from service.api.gateways import GatewaysController
from service.api.health import HealthController
from service.api.imports import ImportsController
from service.api.metrics import Metrics
from service.api.pages import PagesController
from service.api.prefix import API_PREFIX
from service.api.previews import PreviewsController
from service.api.tenants import ProductionController, StoresController, TokensController
from service.api.webhooks import DeliveriesController, WebhooksController
from service.context import Shelfcast, opened
from service.errors import ValidationError
from service.gateways import gateway_setup
from service.ids import new_id
from service.settings import Settings

FEED = (ProductsController, BatchController)
VERSIONED = (
    *FEED,
    ImportsController,
    PreviewsController,
    CatalogueController,
    DisplaysController,
    EvidenceController,
    StoresController,
    TokensController,
    ProductionController,
    GatewaysController,
    BatchesController,
    GuardsController,
    AuditController,
    WebhooksController,
    DeliveriesController,
)
"""What answers under the prefix; of these the feed alone answers at the root too."""


def create_app(settings: Settings) -> Litestar:
    """The application; its database has to be migrated already.

    What it is started with is `app.state.settings`: stopped, it may be started again, and then with others.
    """
    app = Litestar(
        route_handlers=[*FEED, Router(API_PREFIX, route_handlers=VERSIONED), HealthController, PagesController],
        lifespan=[_life],
        dependencies={"ctx": Provide(_context, sync_to_thread=False)},
        exception_handlers={Exception: refuse},
        request_max_body_size=settings.max_body,
        openapi_config=None,
        logging_config=None,
    )
    app.state.settings = settings
    app.asgi_handler = Envelope(app.asgi_handler, app.state)
    return app


@asynccontextmanager
async def _life(app: Litestar) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    app.state.metrics = Metrics()
    async with opened(settings) as ctx:
        app.state.ctx = ctx
        app.state.stopping = asyncio.Event()
        app.state.sealing = asyncio.create_task(gateway_setup.seal_stored(ctx))
        yield
        await asyncio.wait([app.state.sealing], timeout=settings.shutdown_within)


def _context(request: Request) -> Shelfcast:  # type: ignore[type-arg]
    ctx: Shelfcast = request.app.state.ctx
    return ctx


class Protocol(HttpToolsProtocol):
    """HTTP that is refused before there is a request gets the shape of every other refusal."""

    def send_400_response(self, msg: str) -> None:
        body = msgspec.json.encode(fault(ValidationError(msg), new_id()))
        head = [
            b"HTTP/1.1 400 Bad Request",
            b"content-type: " + PROBLEM_JSON.encode(),
            b"content-length: %d" % len(body),
            b"connection: close",
        ]
        self.transport.write(b"\r\n".join([*head, b"", body]))
        self.transport.close()


class Server(uvicorn.Server):
    """Ends event streams as soon as it has to stop: uvicorn would wait for them, and tell the application last."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        super().__init__(config)
        self.app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self.app.state.stopping.set()
        await super().shutdown(sockets)


def server(settings: Settings) -> Server:
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who the peer is decides whether a token may be in clear text (api.auth), so nobody else may rewrite it.
        proxy_headers=False,
        timeout_keep_alive=75,  # longer than the 5 to 10 s at which a status is polled
        timeout_graceful_shutdown=max(1, round(settings.shutdown_within)),
    )
    return Server(config, app)


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; streams end at once, requests have `shutdown_within` to end."""
    serving = server(settings)
    collecting.settle()
    serving.run()
