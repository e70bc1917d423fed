"""An HTTP client that costs its process next to nothing, so that it is the server that is measured."""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Self

import msgspec

_LENGTH = b"content-length: "
_END = b"\r\n\r\n"
_GONE = (ConnectionError, asyncio.IncompleteReadError)


class Connection:
    """One keep-alive connection to loopback, opened anew where the server closed it meanwhile."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Safe for what may be asked twice: an idle connection may end as it is used again."""
        kept = self._reader is not None and not self._reader.at_eof()
        if kept:
            with contextlib.suppress(*_GONE):
                return await self._exchange(request)
        await self._close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._exchange(request)

    async def told(self, request: bytes) -> Any:
        """The JSON of an answer that has to be good."""
        status, body = await self.ask(request)
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
            raise RuntimeError(f"{status}: {body[:300].decode()}")
        return msgspec.json.decode(body) if body else None

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        assert self._reader is not None  # noqa: S101 - for the type checker
        assert self._writer is not None  # noqa: S101
        self._writer.write(request)
        head = (await self._reader.readuntil(_END)).lower()
        start = head.find(_LENGTH)
        length = int(head[start + len(_LENGTH) : head.index(b"\r\n", start)]) if start >= 0 else 0
        return int(head[9:12]), await self._reader.readexactly(length)

    async def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(*_GONE):
                await self._writer.wait_closed()
        self._reader = self._writer = None


def request(method: str, path: str, token: str = "", message: Any = None) -> bytes:
    """A whole request as bytes, so that it is made before the clock runs."""
    body = b"" if message is None else msgspec.json.encode(message)
    head = [
        f"{method} {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(head).encode() + _END + body
