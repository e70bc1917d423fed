"""Server-sent events of one batch (WHATWG HTML, 9.2): the state at once, changes as they come, the end after the last.

The event with id `final` is the terminal one. A browser that reconnects after it is told by 204 to stop doing so.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import structlog
from litestar.response import Stream

from service.core.batches import TERMINAL
from service.messages import Status

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that no proxy takes the connection for dead."""
FINAL = "final"
RECONNECT_AFTER = 5000

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

log = structlog.get_logger(__name__)


async def opened(changes: AsyncIterator[Status], stopping: asyncio.Event) -> Stream:
    """The stream, once its first state is known: so a request that is wrong gets a problem, not an event."""
    first = await anext(changes)
    return Stream(_lines(first, changes, stopping), media_type="text/event-stream", headers=_HEADERS)


async def _lines(first: Status, changes: AsyncIterator[Status], stopping: asyncio.Event) -> AsyncIterator[bytes]:
    """Events until the last state, a shutdown, or the caller's leaving.

    The next state is awaited by a task that is always under way, so that cancelling it is all the tidying there is.
    """
    halt = asyncio.ensure_future(stopping.wait())
    following = _next(changes)
    number = 1
    status: Status | None = first
    try:
        yield b"retry: %d\n\n" % RECONNECT_AFTER
        while status is not None:
            yield _event(number, status)
            while not await _any_done(following, halt):
                yield b": waiting\n\n"
            if halt.done():
                return
            number, status = number + 1, following.result()
            following = _next(changes)
    except Exception as error:
        log.warning("event_stream_broken", error=type(error).__name__, exc_info=error)
    finally:
        halt.cancel()
        following.cancel()


def _next(changes: AsyncIterator[Status]) -> asyncio.Future[Status | None]:
    return asyncio.ensure_future(anext(changes, None))


async def _any_done(*awaited: asyncio.Future[Any]) -> bool:
    """Whether one of them is done before the next heartbeat is due."""
    done, _ = await asyncio.wait(awaited, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _event(number: int, status: Status) -> bytes:
    name = FINAL if status.status in TERMINAL else str(number)
    return b"event: status\nid: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(status))
