"""The WebSocket at /ws: one way, text, and quick to lose things (section 5)."""

import asyncio
import contextlib

from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from display_drivers.openepaperlink.accesspoint.http import Line, Request
from display_drivers.openepaperlink.accesspoint.hub import Client, Hub

_CHUNK = 64 << 10
_GOING_AWAY = 1001


async def serve(hub: Hub, request: Request, line: Line) -> None:
    """Until either side closes. What the client says is answered only where the protocol demands it."""
    protocol = ServerProtocol()
    head = f"{request.method} {request.target} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    protocol.receive_data(head.encode("latin-1") + b"\r\n" + line.early)
    if not _shake_hands(protocol, line):
        return
    client = hub.join()
    writing = asyncio.ensure_future(_write(protocol, client, line))
    try:
        while not line.reader.at_eof():
            data = await line.reader.read(_CHUNK)
            protocol.receive_data(data) if data else protocol.receive_eof()
            protocol.events_received()
            _send(protocol, line)
    finally:
        hub.leave(client)
        writing.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await writing


def _shake_hands(protocol: ServerProtocol, line: Line) -> bool:
    for event in protocol.events_received():
        if isinstance(event, Handshake):
            response = protocol.accept(event)
            protocol.send_response(response)
            _send(protocol, line)
            return response.status_code == 101  # noqa: PLR2004 - switching protocols
    _send(protocol, line)
    return False


async def _write(protocol: ServerProtocol, client: Client, line: Line) -> None:
    while True:
        await client.ready.wait()
        client.ready.clear()
        while client.waiting and protocol.state.name == "OPEN":
            protocol.send_text(client.waiting[0].encode())
            _send(protocol, line)
            await line.writer.drain()
            # Only now is it delivered: while the other side does not read, it counts among the 32.
            client.waiting.popleft()
        if client.closing:
            if protocol.state.name == "OPEN":
                protocol.send_close(_GOING_AWAY)
            _send(protocol, line)
            line.writer.close()
            return


def _send(protocol: ServerProtocol, line: Line) -> None:
    for data in protocol.data_to_send():
        if data:
            line.writer.write(data)
        elif line.writer.can_write_eof() and not line.writer.is_closing():
            line.writer.write_eof()
