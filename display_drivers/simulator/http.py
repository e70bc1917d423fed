"""As much of HTTP as a simulated gateway needs, on ASGI; plus hanging up, for which ASGI has no word."""

import asyncio
import hmac
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from display_drivers.gateway.wire import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Reply = msgspec.Struct | AsyncGenerator[bytes, None]
Handler = Callable[["Request"], Awaitable[Reply]]

_HANG_UP = "shelfcast.hangUp"
_MAX_BODY = 64 << 20
_JSON = (b"content-type", b"application/json")
_LINES = (b"content-type", b"application/x-ndjson")

T = TypeVar("T")


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An answer other than 200."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after = status, code, detail, retry_after


class HangUp(Exception):  # noqa: N818 - what hardware does, not a failure
    """The connection is closed instead of an answer."""


class Request:
    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self.method: str = scope["method"]
        path: bytes = scope["raw_path"]
        self.parts = [unquote(part) for part in path.decode("ascii").strip("/").split("/")]

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self._scope["headers"] if key == name), "")

    def query(self) -> dict[str, list[str]]:
        return parse_qs(self._scope["query_string"].decode("latin-1"))

    async def decoded(self, kind: type[T]) -> T:
        """The body; raises Refusal 400 or 413."""
        try:
            return msgspec.json.decode(await self._body(), type=kind)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Refusal(400, "badRequest", str(error)) from error

    async def _body(self) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise HangUp
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > _MAX_BODY:
                raise Refusal(413, "tooLarge", f"A body may have {_MAX_BODY} bytes.")
        return bytes(body)

    async def gone(self) -> None:
        """Returns when the other side has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def demand(self, secret: str) -> None:
        """Raises Refusal 401 unless the request carries the secret; an empty one demands nothing."""
        if secret and not hmac.compare_digest(self.header(b"authorization").encode(), f"Bearer {secret}".encode()):
            raise Refusal(401, "unauthorized", "The bearer secret is missing or wrong.")


class HangingUpProtocol(HttpToolsProtocol):
    """Hands the application the means to drop its connection, and never waits to fill a packet.

    asyncio sets TCP_NODELAY only on sockets that were made with an explicit protocol number, which those of
    socket.create_server are not; without it every answer takes 40 ms.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_HANG_UP: self.transport.abort}  # type: ignore[dict-item]


def application(handler: Handler) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application: a reply that is a struct travels as JSON, one that is an iterator as it comes, in lines."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            reply = await handler(request)
        except HangUp:
            scope["extensions"][_HANG_UP]()
            await request.gone()
        except Refusal as refusal:
            retry = [(b"retry-after", b"%d" % -(-refusal.retry_after // 1))] if refusal.retry_after is not None else []
            body = msgspec.json.encode(Problem(refusal.code, refusal.detail))
            await _whole(send, refusal.status, body, [_JSON, *retry])
        else:
            if isinstance(reply, msgspec.Struct):
                await _whole(send, 200, msgspec.json.encode(reply), [_JSON])
            else:
                await _in_lines(send, reply)

    return serve


async def _whole(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _in_lines(send: Send, lines: AsyncGenerator[bytes, None]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [_LINES]})
    async with aclosing(lines):
        async for line in lines:
            await send({"type": "http.response.body", "body": line, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
