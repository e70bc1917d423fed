"""Posting a webhook: signed, to the very address that was checked, with no patience for slow or endless answers.

We look a name up ourselves and connect to what we found, so that a name that leads elsewhere a moment later (DNS
rebinding) leads nowhere. httpcore is used as it is, below httpx: it follows no redirects, reads no environment, keeps
no cookies and unpacks nothing. A connection is used once.
"""

import asyncio
import datetime as dt
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Self

import httpcore
import httpx
from httpcore import SOCKET_OPTION, AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream
from standardwebhooks import Webhook

from service.core import targets
from service.core.targets import Network, Target, TargetError
from service.core.text import clean
from service.core.webhooks import Answer
from service.settings import Settings

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port -> addresses. Raises OSError where there are none."""

KEPT = 1024
"""Bytes of an answer that are read, and kept for the log of deliveries."""
_ANSWER_WITHIN = 2.0
"""Seconds for the body of an answer, whose status is all that counts."""
_CONNECT_WITHIN = 5.0
_MOST_ADDRESSES = 4
_MOST_HEADER = 200
_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)


async def look_up(host: str, port: int) -> list[str]:
    """The system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def signed(secrets: Iterable[str], id_: str, at: int, body: bytes) -> dict[str, str]:
    """Headers of one attempt at `at`; every secret (`whsec_…`) that is valid signs, so that none has to change at once.

    Receivers refuse a signature of more than five minutes ago, so each attempt is signed anew.
    """
    moment = dt.datetime.fromtimestamp(at // 1000, dt.UTC)
    text = body.decode()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at // 1000),
        "webhook-signature": " ".join(Webhook(secret).sign(id_, moment, text) for secret in secrets),
    }


class Poster:
    """One process's way out. `tls` None: the authorities of certifi, or of SSL_CERT_FILE where it is set."""

    def __init__(
        self, networks: Iterable[str], timeout: float, *, resolve: Resolve = look_up, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allowed = targets.networks(networks)
        self._timeout = timeout
        self._resolve = resolve
        self._tls = tls

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.webhook_networks, settings.webhook_timeout)

    async def check(self, url: str) -> None:
        """Raise TargetError if no webhook could be sent to this URL now."""
        target = targets.parse_url(url)
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await self._way(target).addresses()
        except TimeoutError:
            raise TargetError(f"The name {target.host} could not be looked up in time; try again.") from None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt. It raises nothing: whatever goes wrong is an answer without a status."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                status, retry_after, text = await self._exchange(targets.parse_url(url), headers, body)
        except TargetError as error:
            return Answer(None, error=str(error), took=_since(began))
        except TimeoutError:
            return Answer(None, error=f"No answer within {self._timeout:g} seconds.", took=_since(began))
        except _FAILURES as error:
            return Answer(None, error=_sentence(error), took=_since(began))
        return Answer(status, retry_after=retry_after, body=text, took=_since(began))

    async def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes) -> tuple[int, str | None, str]:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        connection = httpcore.AsyncHTTPConnection(
            url.origin, ssl_context=self._context(), network_backend=self._way(target)
        )
        sent = [
            ("Host", target.authority),
            ("Content-Type", "application/json"),
            ("User-Agent", "Shelfcast-Webhooks"),
            ("Connection", "close"),
            *headers.items(),
        ]
        try:
            async with connection.stream("POST", url, headers=sent, content=body) as response:
                retry_after = _header(response, b"retry-after")
                return response.status, retry_after, await _start_of(response)
        finally:
            await connection.aclose()

    def _way(self, target: Target) -> "_Way":
        return _Way(target, self._allowed, self._resolve)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return self._tls


class _Way(AsyncNetworkBackend):
    """Connects to addresses of one target that may be reached, and to nothing else."""

    def __init__(self, target: Target, allowed: Sequence[Network], resolve: Resolve) -> None:
        self._target = target
        self._allowed = allowed
        self._resolve = resolve
        self._inner = AnyIOBackend()

    async def addresses(self) -> list[str]:
        """Those that may be reached; raises TargetError if there are none."""
        plain = self._target.scheme == "http"
        objections: list[str] = []
        free: list[str] = []
        for text in await self._found():
            address = targets.as_address(text)
            objection = (
                "Its address is unknown."
                if address is None
                else (targets.objection(address, self._allowed, plain=plain))
            )
            if objection is None:
                free.append(text)
            else:
                objections.append(objection)
        if not free:
            raise TargetError(f"{self._target.host} cannot be sent to. {objections[0]}")
        return free

    async def _found(self) -> Sequence[str]:
        host = self._target.host
        if targets.as_address(host) is not None:
            return [host]
        try:
            found = list(dict.fromkeys(await self._resolve(host, self._target.port)))
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise TargetError(f"The name {host} has no address; check how it is written.")
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        last: Exception | None = None
        within = min(timeout or _CONNECT_WITHIN, _CONNECT_WITHIN)
        for address in (await self.addresses())[:_MOST_ADDRESSES]:
            try:
                return await self._inner.connect_tcp(address, port, within, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError(host)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _start_of(response: httpcore.Response) -> str:
    """The first KiB of an answer, as text that can be stored; what does not come in time is left out."""
    held = bytearray()
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            async for chunk in response.aiter_stream():
                held += chunk
                if len(held) >= KEPT:
                    break
    except (TimeoutError, *_FAILURES):
        pass  # the status has been answered
    return clean(held[:KEPT].decode("utf-8", "replace"))


def _header(response: httpcore.Response, name: bytes) -> str | None:
    return next(
        (value.decode("latin-1")[:_MOST_HEADER] for key, value in response.headers if key.lower() == name), None
    )


def _sentence(error: Exception) -> str:
    """What went wrong on the way, for the log of deliveries."""
    said = clean(str(error))[:_MOST_HEADER]
    match error:
        case httpcore.ConnectError() if isinstance(error.__context__, ssl.SSLError):
            return f"TLS failed: {said}."
        case httpcore.ConnectTimeout():
            return "No connection in time."
        case httpcore.ConnectError():
            return "The connection was refused, or there is no way to the address."
        case httpcore.RemoteProtocolError():
            return f"The answer is no HTTP: {said}."
        case _:
            return f"The connection broke off before an answer{f': {said}' if said else ''}."


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
