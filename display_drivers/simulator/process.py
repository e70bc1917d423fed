"""The simulated store as a process, or inside one."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import uvicorn
import uvloop

from display_drivers.gateway.wire import Message
from display_drivers.simulator.control import Control
from display_drivers.simulator.http import Handler, HangingUpProtocol, Refusal, Reply, Request, application
from display_drivers.simulator.server import Frontage, wall_clock
from display_drivers.simulator.store import Options, VirtualStore

_KEEP_ALIVE = 15  # seconds that an idle connection is kept; the protocol asks for 5 or more


class Ready(Message, frozen=True):
    """The one line on standard output once the store answers."""

    url: str
    port: int
    control: str
    gateways: dict[str, str]
    displays: int


def run(options: Options) -> None:
    """Serves the store until SIGTERM or SIGINT; returns when everything is closed and kept."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(options))


async def _until_told(options: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(options) as ready:
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        await stop.wait()


@contextlib.asynccontextmanager
async def serving(options: Options, clock: Callable[[], int] = wall_clock) -> AsyncIterator[Ready]:
    """The store, answering on a socket of its own within the running event loop.

    The socket comes first: while another process still has the port, its state file must not be touched.
    """
    with socket.create_server((options.host, options.port), backlog=1024) as listening:
        frontage = Frontage(VirtualStore(options, clock()), clock)
        server = _Server(_config(_handler(frontage)), frontage)
        task = asyncio.create_task(server.serve([listening]))
        try:
            await server.ready.wait()
            yield _ready(frontage.store, *listening.getsockname()[:2])
        finally:
            server.should_exit = True
            await task


def _handler(frontage: Frontage) -> Handler:
    control = Control(frontage)

    async def handle(request: Request) -> Reply:
        match request.parts:
            case ["gateways", name, *_]:
                return await frontage.answer(name, request)
            case ["control", *_]:
                return await control.answer(request)
        raise Refusal(404, "notFound", "Here are /gateways/{name} and /control.")

    return handle


def _config(handler: Handler) -> uvicorn.Config:
    return uvicorn.Config(
        application(handler),
        http=HangingUpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )


def _ready(store: VirtualStore, host: str, port: int) -> Ready:
    url = f"http://{host}:{port}"
    gateways = {name: f"{url}/gateways/{name}" for name in store.gateways}
    return Ready(url, port, f"{url}/control", gateways, len(store.home))


class _Server(uvicorn.Server):
    """Says when it is ready, ends its event streams before it waits for them, and leaves signals to its caller."""

    def __init__(self, config: uvicorn.Config, frontage: Frontage) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._frontage = frontage

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._frontage.stop()
        await super().shutdown(sockets)
        self._frontage.close()
