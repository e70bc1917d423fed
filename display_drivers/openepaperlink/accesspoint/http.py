"""A small HTTP/1.1 server that can behave as badly as an access point: refuse, reset, hang and cut short."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11
import msgspec

_MAX_BODY = 64 << 20
_CHUNK = 64 << 10
_JSON = "application/json"


class Reset(Exception):  # noqa: N818 - what hardware does, not a failure
    """The connection is reset instead of an answer."""


class Silence(Exception):  # noqa: N818 - what hardware does, not a failure
    """No answer at all; the connection stays open until the other side tires of it (G6)."""


class Reply(msgspec.Struct, kw_only=True):
    """An answer. `cut`: only half of the body arrives."""

    status: int = 200
    body: bytes = b""
    kind: str = ""
    headers: dict[str, str] = {}
    cut: bool = False

    @staticmethod
    def text(status: int, words: str) -> "Reply":
        return Reply(status=status, body=words.encode(), kind="text/plain")

    @staticmethod
    def json(value: Any, status: int = 200) -> "Reply":
        return Reply(status=status, body=msgspec.json.encode(value), kind=_JSON)


class Part(msgspec.Struct, frozen=True):
    """One part of a form, in the order sent. A part with a type of its own is taken for a file, whatever it is."""

    name: str
    data: bytes
    is_file: bool = False

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


class Request:
    """A request whose body may still be on its way."""

    def __init__(self, head: h11.Request, body: Callable[[], Awaitable[bytes]]) -> None:
        self.method = head.method.decode()
        self.target = head.target.decode("latin-1")
        split = urlsplit(self.target)
        self.path = unquote(split.path)
        self.query = dict(parse_qsl(split.query, keep_blank_values=True))
        self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in head.headers}
        self._read, self._body = body, b""

    async def body(self) -> bytes:
        """All of it, however often it is asked for."""
        self._body += await self._read()
        return self._body

    async def form(self) -> list[Part]:
        """Parts of a multipart body or fields of an url-encoded one."""
        body = await self.body()
        kind = Message()
        kind["Content-Type"] = self.headers.get("content-type", "text/plain")
        boundary = kind.get_param("boundary")
        if kind.get_content_type() == "multipart/form-data" and isinstance(boundary, str):
            return list(_parts(body, b"--" + boundary.encode()))
        fields = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        return [Part(name, value.encode()) for name, value in fields]

    @property
    def wants_websocket(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


def _parts(body: bytes, boundary: bytes) -> "list[Part]":
    found = []
    for piece in (b"\r\n" + body).split(b"\r\n" + boundary)[1:]:
        head, between, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if piece.startswith(b"--") or not between:
            continue
        headers = Message()
        for line in head.decode("utf-8", "replace").split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
        named = headers.get_param("name", "", "content-disposition")
        is_file = headers.get_param("filename", None, "content-disposition") is not None or "Content-Type" in headers
        found.append(Part(str(named), data, is_file))
    return found


class Line:
    """One connection to the server, with the means to end it rudely."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.upgraded = False
        self.early = b""  # what came behind the request that asked for a WebSocket

    def reset(self) -> None:
        """The other side sees an RST, not an orderly end."""
        endpoint: socket.socket | None = self.writer.get_extra_info("socket")
        if endpoint is not None and endpoint.fileno() >= 0:
            with contextlib.suppress(OSError):
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[[Request], Awaitable[Reply]]
Upgrade = Callable[[Request, Line], Awaitable[None]]


class Server:
    """Listens on one port for as long as it lives, also while it takes no connections."""

    def __init__(self, host: str, port: int, handler: Handler, upgrade: Upgrade | None = None) -> None:
        self._handler, self._upgrade = handler, upgrade
        self._socket: socket.socket | None = _bound(host, port)
        self._address = self._socket.getsockname()[:2]
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], Line] = {}
        self._starting: asyncio.Task[None] | None = None
        self._open = True
        self._headers: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}"

    def with_headers(self, headers: Mapping[str, str]) -> "Server":
        self._headers = headers
        return self

    async def start(self) -> None:
        endpoint = self._socket or _bound(*self._address)
        self._socket = None
        self._server = await asyncio.start_server(self._connected, sock=endpoint, backlog=1024)

    def open(self) -> None:
        """From now on connections are taken again."""
        self._open = True
        if self._server is None and self._starting is None:
            self._socket = self._socket or _bound(*self._address)
            self._socket.listen(1024)
            self._starting = asyncio.ensure_future(self._start_again())

    async def _start_again(self) -> None:
        try:
            await self.start()
        finally:
            self._starting = None
        if not self._open:
            self.shut(abrupt=True)

    def shut(self, abrupt: bool) -> None:
        """From now on connections are refused. A socket that does not listen keeps the port for us meanwhile."""
        self._open = False
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket = _bound(*self._address)
        for line in self._lines.values():
            if abrupt or not line.upgraded:
                line.reset()

    async def close(self) -> None:
        if self._starting is not None:
            await self._starting
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.close()
        tasks = list(self._lines)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        line = self._lines[task] = Line(reader, writer)
        endpoint: socket.socket | None = writer.get_extra_info("socket")
        if endpoint is not None:
            endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            # Clients leave when they like, and not all of them speak HTTP.
            with contextlib.suppress(OSError, h11.ProtocolError):
                await self._converse(line)
        except asyncio.CancelledError:
            line.reset()
        finally:
            del self._lines[task]
            await _hung_up(writer)

    async def _converse(self, line: Line) -> None:
        http = h11.Connection(h11.SERVER)
        while http.our_state is h11.IDLE:
            head = await _event(http, line)
            if not isinstance(head, h11.Request):
                return
            request = Request(head, lambda: _body(http, line))
            if self._upgrade is not None and request.path == "/ws" and request.wants_websocket:
                line.upgraded, line.early = True, http.trailing_data[0]
                await self._upgrade(request, line)
                return
            try:
                reply = await self._handler(request)
                await _body(http, line)
            except Reset:
                line.reset()
                return
            except Silence:
                while await line.reader.read(_CHUNK):
                    pass
                return
            await self._answer(http, line, reply, bare=request.method == "HEAD")

    async def _answer(self, http: h11.Connection, line: Line, reply: Reply, *, bare: bool) -> None:
        headers = dict(self._headers) | reply.headers | {"Content-Length": str(len(reply.body))}
        if reply.kind:
            headers["Content-Type"] = reply.kind
        head = h11.Response(status_code=reply.status, headers=list(headers.items()), reason=b"")
        data = http.send(head) or b""
        body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        if not bare and reply.status != 304:  # noqa: PLR2004 - not modified
            data += http.send(h11.Data(data=body)) or b""
        if reply.cut:
            line.writer.write(data)
            http.send_failed()
            return
        line.writer.write(data + (http.send(h11.EndOfMessage()) or b""))
        await line.writer.drain()
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()


async def _hung_up(writer: asyncio.StreamWriter) -> None:
    """Closed, even if the other side never reads what is still to be sent."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(writer.wait_closed(), 1.0)
        return
    writer.transport.abort()


def _bound(host: str, port: int) -> socket.socket:
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    endpoint.setblocking(False)
    endpoint.bind((host, port))
    return endpoint


async def _event(http: h11.Connection, line: Line) -> Any:
    while True:
        event = http.next_event()
        if event is not h11.NEED_DATA:
            return event
        if http.they_are_waiting_for_100_continue:
            line.writer.write(http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        http.receive_data(await line.reader.read(_CHUNK))


async def _events(http: h11.Connection, line: Line) -> AsyncIterator[bytes]:
    while http.their_state is h11.SEND_BODY:
        event = await _event(http, line)
        if isinstance(event, h11.Data):
            yield bytes(event.data)


async def _body(http: h11.Connection, line: Line) -> bytes:
    """Whatever of the body has not been read yet."""
    body = bytearray()
    async for data in _events(http, line):
        body += data
        if len(body) > _MAX_BODY:
            raise Reset
    return bytes(body)
