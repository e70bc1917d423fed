"""The client side of the gateway protocol: one persistent HTTP connection pool for one gateway."""

import asyncio
import functools
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from display_drivers.base import Data, Discovered, DriverInfo, Frame, Outcome, Proof, Report, Setting, Update
from display_drivers.errors import (
    BusyError,
    DriverError,
    FrameRefusedError,
    NotAllowedError,
    PermanentError,
    StaleError,
    TransientError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.gateway import wire
from display_drivers.gateway.translate import translated

_CONNECT_TIMEOUT = 3.0
_SILENCE = 45.0  # three of the empty lines that a living event stream sends at least every 15 s
_IDLE_EXPIRY = (
    4.0  # gateways keep an idle connection for 5 s or more: ours goes first, so that no push meets a closed one
)
_AT_A_STRETCH = 32
"""Frames packed before others have a turn."""
SETTINGS = (
    Setting("url", "Where the gateway answers, such as http://192.168.1.20:8080/gateway.", required=True),
    Setting("secret", "What it asks for as a bearer token, if it does.", secret=True),
)
_KEYS = frozenset(setting.name for setting in SETTINGS)
_VISIBLE = re.compile(r"[!-~]+")

T = TypeVar("T")


class GatewayDriver:
    """Implements Driver, Listens, Blinks, Discovers and Renders.

    Where a gateway lacks one of the optional abilities, the call raises PermanentError.
    """

    def __init__(self, name: str, config: Mapping[str, str]) -> None:
        """Raises NotAllowedError or PermanentError for a configuration that cannot be right."""
        self._url, self._headers = _checked(name, config)
        self._info = DriverInfo(name=name, takes="frame", proof=Proof.ACCEPTED)
        self._client: httpx.AsyncClient | None = None

    @property
    def info(self) -> DriverInfo:
        return self._info

    async def open(self) -> None:
        """Asks the gateway what it is; raises DriverError if it does not answer or speaks another protocol version."""
        await self.close()
        self._client = self._new_client()
        try:
            info = await self._ask("GET", "/info", wire.Info)
            self._info = _driver_info(self._info.name, info)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # nothing that goes wrong here can matter to anyone any more
                await client.aclose()

    async def push(self, updates: Sequence[Update]) -> list[Outcome]:
        """A frame that does not fit its own panel is refused here; the others travel in one request."""
        if not updates:
            return []
        packed = await _packed(updates)
        items = [item for item in packed if isinstance(item, wire.Item)]
        answered = iter(await self._send(items) if items else ())
        return [
            next(answered) if isinstance(item, wire.Item) else Outcome(update.token, item)
            for update, item in zip(updates, packed, strict=True)
        ]

    async def _send(self, items: list[wire.Item]) -> list[Outcome]:
        answer = await self._ask("POST", "/updates", wire.PushAnswer, wire.Push(items))
        if [outcome.token for outcome in answer.outcomes] != [item.token for item in items]:
            raise UnreachableError(f"Gateway {self._url} answered for other updates than it was sent.")
        return [_outcome(outcome) for outcome in answer.outcomes]

    async def poll(self, addresses: Sequence[str]) -> list[Report]:
        if not addresses:
            return []
        answer = await self._ask("POST", "/reports", wire.PollAnswer, wire.Poll(list(addresses)))
        return [report.report(self._info.proof) for report in answer.reports]

    async def listen(self) -> AsyncIterator[Report]:
        """Never ends by itself: UnreachableError when the stream breaks, or after 45 s without a line."""
        decoder = msgspec.json.Decoder(wire.DisplayReport)
        timeout = httpx.Timeout(_CONNECT_TIMEOUT, read=_SILENCE)
        with translated(self._url):
            async with self._opened().stream("GET", f"{self._url}/events", timeout=timeout) as response:
                await _succeeded(response)
                async for line in response.aiter_lines():
                    if line:
                        yield decoder.decode(line).report(self._info.proof)
        raise UnreachableError(f"Gateway {self._url} ended its stream of reports.")

    async def blink(self, address: str, seconds: int) -> None:
        await self._ask("POST", "/blink", dict, wire.Blink(address, seconds))

    async def discover(self) -> list[Discovered]:
        answer = await self._ask("GET", "/displays", wire.Displays)
        return [display.discovered for display in answer.displays]

    async def glass(self, address: str) -> Frame | Data | None:
        return (await self._ask("GET", f"/displays/{quote(address, safe='')}/glass", wire.Glass)).face

    async def _ask(self, method: str, path: str, answer: type[T], message: wire.Message | None = None) -> T:
        """One request and its decoded answer, within the gateway's send timeout in all."""
        body = None if message is None else msgspec.json.encode(message)
        with translated(self._url):
            async with asyncio.timeout(self._info.send_timeout):
                response = await self._opened().request(method, f"{self._url}{path}", content=body)
            await _succeeded(response)
            return msgspec.json.decode(response.content, type=answer)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            raise UnreachableError(f"The driver of gateway {self._url} is not open.")
        return self._client

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            verify=_tls() if self._url.startswith("https:") else False,
            timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT),
            limits=httpx.Limits(keepalive_expiry=_IDLE_EXPIRY),
            trust_env=False,  # a gateway stands in the store's own network: no proxy of this machine is for it
        )


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all gateways: reading the certificate store takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _checked(name: str, config: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    if unknown := sorted(config.keys() - _KEYS):
        raise PermanentError(
            f"Driver {name} knows no setting {', '.join(unknown)}; it knows {', '.join(sorted(_KEYS))}."
        )
    url, secret = config.get("url", "").rstrip("/"), config.get("secret", "")
    with translated(url):
        parsed = httpx.URL(url)
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise PermanentError(f"Driver {name} needs `url`, such as http://192.168.1.20:8080/gateway, not {url!r}.")
    if parsed.query or parsed.fragment or parsed.userinfo:
        raise PermanentError(f"The `url` of driver {name} is a bare address; a secret has its own setting, `secret`.")
    headers = {"content-type": "application/json", wire.VERSION_HEADER: str(wire.VERSION)}
    if secret and not _VISIBLE.fullmatch(secret):
        raise NotAllowedError(f"The `secret` of driver {name} may hold visible ASCII characters only.")
    return url, headers | ({"authorization": f"Bearer {secret}"} if secret else {})


def _driver_info(name: str, info: wire.Info) -> DriverInfo:
    if wire.VERSION not in info.protocols:
        spoken = ", ".join(map(str, info.protocols)) or "none"
        raise PermanentError(f"Gateway {info.name} speaks protocol {spoken}; this driver speaks {wire.VERSION}.")
    return DriverInfo(
        name=name,
        takes=info.takes,
        proof=Proof[info.proof.upper()],
        max_batch=info.max_batch,
        max_in_flight=info.max_in_flight,
        send_timeout=info.send_timeout,
        reports_within=info.reports_within,
        max_displays=info.max_displays,
    )


async def _packed(updates: Sequence[Update]) -> list[wire.Item | FrameRefusedError]:
    packed = []
    for number, update in enumerate(updates):
        if number % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)  # some 3 ms; a thread would take Python's lock from the others all the time
        packed.append(_item(update))
    return packed


def _item(update: Update) -> wire.Item | FrameRefusedError:
    try:
        return wire.Item.of(update)
    except FrameRefusedError as error:
        return error


async def _succeeded(response: httpx.Response) -> None:
    if not response.is_success:
        await response.aread()
    response.raise_for_status()


def _outcome(outcome: wire.ItemOutcome) -> Outcome:
    if outcome.outcome == "accepted":
        return Outcome(outcome.token, mark=outcome.token)
    return Outcome(outcome.token, _refused(outcome))


def _refused(outcome: wire.ItemOutcome) -> DriverError:
    match outcome.outcome:
        case "busy":
            return BusyError(outcome.detail, outcome.retry_after)
        case "unknownDisplay":
            return UnknownDisplayError(outcome.detail or "The gateway does not know this display; add it there.")
        case "stale":
            return StaleError(outcome.detail, outcome.revision)
        case "refused":
            return FrameRefusedError(outcome.detail)
        case _:
            return TransientError(outcome.detail)
