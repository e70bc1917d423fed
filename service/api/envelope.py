"""What every exchange gets, whatever its path: a request id, one log line, its metrics, and HEAD where GET is."""

import asyncio
import re
import time
from typing import Any

import structlog
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

from service.api.limits import ANSWERED
from service.api.metrics import Metrics
from service.api.operations import METHODS, PARAMETER
from service.api.prefix import API_PREFIX
from service.ids import new_id

_SAFE_ID = re.compile(r"[A-Za-z0-9._:\-]{1,128}")
_SHOWN_PATH = 200
_QUIET = ("/health/live", "/health/ready", "/metrics")

log = structlog.get_logger(__name__)


class Envelope:
    """The outermost ASGI application: Litestar's own middleware does not see paths that it has no route for."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        started = time.perf_counter()
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        finally:
            self._note(exchange, time.perf_counter() - started)

    def _note(self, exchange: "Exchange", seconds: float) -> None:
        route = exchange.scope.get("path_template", "unmatched")
        metrics: Metrics = self._state.metrics
        metrics.count(exchange.method, route, exchange.status, seconds)
        say = log.debug if route in _QUIET else log.info
        say(
            "request",
            method=exchange.method,
            path=exchange.path[:_SHOWN_PATH],
            status=exchange.status,
            ms=round(seconds * 1000, 1),
        )


class Exchange:
    """One request and its answer."""

    def __init__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.method, self.path = scope["method"], scope["path"]
        self.request_id = request_id(scope["headers"])
        self.status = 0
        self._receive, self._send = receive, send
        self._is_head = self.method == "HEAD"
        self._answered = asyncio.Event()
        scope.setdefault("state", {})["request_id"] = self.request_id
        # HEAD is GET without its body (RFC 9110, 9.3.2), for every route alike.
        self.scope = scope | {"method": "GET"} if self._is_head else scope

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        if not self._is_head:
            return await self._receive()
        await self._answered.wait()  # so that a stream ends as soon as its headers are out
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*map(_with_head, map(self._with_all, message["headers"])), *self._own_headers()]
            await self._send(message)
            if self._is_head:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                self._answered.set()
        elif not self._is_head:
            await self._send(message)

    def _with_all(self, header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        """Litestar tells OPTIONS of the method of a path that it met first, and of no other of the same path."""
        name, value = header
        if self.method != "OPTIONS" or name.lower() != b"allow":
            return header
        path = PARAMETER.sub("{}", str(self.scope.get("path_template")).removeprefix(API_PREFIX))
        return name, b", ".join(sorted({*value.split(b", "), *METHODS.get(path, ())}))

    def _own_headers(self) -> list[tuple[bytes, bytes]]:
        own = [(b"x-request-id", self.request_id.encode()), (b"x-content-type-options", b"nosniff")]
        return [*own, *self.scope["state"].get(ANSWERED, ())]


def _with_head(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Allow names HEAD wherever it names GET."""
    name, value = header
    if name.lower() != b"allow":
        return header
    methods = {method.strip() for method in value.split(b",")}
    return name, b", ".join(sorted(methods | ({b"HEAD"} if b"GET" in methods else set())))


def request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The caller's X-Request-ID if it is safe to write into logs and headers, else a new one."""
    sent = next((value.decode("latin-1") for name, value in headers if name.lower() == b"x-request-id"), "")
    return sent if _SAFE_ID.fullmatch(sent) else new_id()
