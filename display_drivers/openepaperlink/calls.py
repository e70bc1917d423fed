"""What is asked of an access point: its HTTP interface as typed calls, one after the other.

It has no authentication, breaks when it is asked much at once, and answers an upload with 200 whatever became of it, so
nothing here draws a conclusion from a status but that something arrived.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import httpx
import msgspec

from display_drivers.errors import PermanentError, UnreachableError
from display_drivers.openepaperlink.translate import translated

NEVER = 3_216_153_600
"""Of `nextupdate` and `nextcheckin`: nothing to do, or asleep until it is woken."""
EXTERNAL = 24
"""Content mode of images that a client uploads."""
MOST_LISTED = 255
"""Tags that a listing can reach: its position has 8 bits and begins anew."""
_CONNECT_TIMEOUT = 3.0
_TIMEOUT = 6.0
_IDLE_EXPIRY = 2.0


class Record(msgspec.Struct, frozen=True):
    """A tag as the access point knows it; its own names, seconds of its own clock."""

    mac: str
    hash: str = ""
    lastseen: int = 0
    nextupdate: int = NEVER
    nextcheckin: int = 0
    pending: int = 0
    alias: str = ""
    content_mode: int = msgspec.field(default=0, name="contentMode")
    rssi: int = msgspec.field(default=0, name="RSSI")
    temperature: int = 0
    battery: int = msgspec.field(default=0, name="batteryMv")
    hw_type: int = msgspec.field(default=0, name="hwType")
    modecfgjson: str = ""
    isexternal: bool = False
    apip: str = ""
    updatecount: int = 0
    updatelast: int = 0
    ver: int = 0
    wakeup: int = msgspec.field(default=0, name="wakeupReason")

    @property
    def file(self) -> str:
        """The upload that it was last told to render; empty for none."""
        with suppress(msgspec.MsgspecError):
            return msgspec.json.decode(self.modecfgjson, type=_Mode).filename
        return ""

    @property
    def is_rendered(self) -> bool:
        return self.nextupdate == NEVER


class _Mode(msgspec.Struct):
    filename: str = ""


class _Listing(msgspec.Struct):
    tags: list[Record] = []
    continu: int | None = None


class System(msgspec.Struct, frozen=True):
    """`/sysinfo`."""

    alias: str = ""
    env: str = ""
    buildversion: str = ""
    ap_version: Any = None


class Settings(msgspec.Struct, frozen=True):
    """`/get_ap_config`, as far as it decides whether labels can be trusted; numbers of 8 bits."""

    maxsleep: int = 10
    stopsleep: int = 1
    preview: int = 1
    nightlyreboot: int = 1
    lock: int = 0
    showtimestamp: int = 0


class AccessPoint:
    """One access point's HTTP interface. Calls wait for each other: it serves one client well, and several badly."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        await self.close()
        self._client = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT),
            limits=httpx.Limits(max_connections=2, keepalive_expiry=_IDLE_EXPIRY),
            trust_env=False,  # it stands in the store's own network
        )

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                await client.aclose()

    async def system(self) -> System:
        return msgspec.json.decode(await self._get("/sysinfo"), type=System, strict=False)

    async def settings(self) -> Settings:
        found: Settings = self._decoded(await self._get("/get_ap_config"), Settings)
        return found

    async def set(self, **values: int) -> None:
        await self._post("/save_apcfg", {name: str(value) for name, value in values.items()})

    async def set_time(self, seconds: int) -> None:
        await self._post("/set_time", {"epoch": str(seconds)})

    async def record(self, mac: str) -> Record | None:
        """None for a tag that it does not know."""
        found = self._decoded(await self._get("/get_db", mac=mac), _Listing).tags
        return found[0] if found else None

    async def records(self) -> AsyncIterator[Record]:
        """Every tag that can be listed: past 255 the pages begin anew, so that others are found by `record` alone."""
        seen: set[str] = set()
        position = 0
        while True:
            page = self._decoded(await self._get("/get_db", pos=str(position)), _Listing)
            fresh = [record for record in page.tags if record.mac not in seen]
            for record in fresh:
                seen.add(record.mac)
                yield record
            if page.continu is None or not position < page.continu <= MOST_LISTED or not fresh:
                return
            position = page.continu

    async def upload(self, mac: str, jpeg: bytes) -> None:
        """The fields stand before the file, and have no type of their own: the firmware reads them in this way only."""
        fields = {"mac": mac, "dither": "0", "ttl": "0", "contentmode": str(EXTERNAL)}
        await self._send("POST", "/imgupload", data=fields, files={"file": ("label.jpg", jpeg, "image/jpeg")})

    async def command(self, mac: str, command: str) -> None:
        await self._post("/tag_cmd", {"mac": mac, "cmd": command})

    async def flash(self, mac: str, pattern: str) -> None:
        await self._get("/led_flash", mac=mac, pattern=pattern)

    async def shown(self, mac: str) -> bytes | None:
        """What was last transferred to the tag; None if the access point kept nothing."""
        return await self._file(f"/current/{mac}.raw")

    async def is_queued(self, mac: str, digest16: str) -> bool:
        """Whether this very payload waits for the tag; its version is written backwards here."""
        backwards = "".join(digest16[start : start + 2] for start in range(14, -2, -2)).upper()
        return await self._file("/getdata", mac=mac, md5=backwards) is not None

    async def tag_type(self, number: int) -> bytes | None:
        return await self._file(f"/tagtypes/{number:02X}.json")

    async def _file(self, path: str, **query: str) -> bytes | None:
        headers = {"cache-control": "no-cache", "pragma": "no-cache"}
        response = await self._send("GET", path, params=query, headers=headers, allowed=(400, 404))
        return response.content if response.is_success else None

    async def _get(self, path: str, **query: str) -> bytes:
        return (await self._send("GET", path, params=query)).content

    async def _post(self, path: str, form: Mapping[str, str]) -> None:
        await self._send("POST", path, data=dict(form))

    async def _send(self, method: str, path: str, *, allowed: tuple[int, ...] = (), **request: Any) -> httpx.Response:
        if self._client is None:
            raise UnreachableError(f"The driver of access point {self.url} is not open.")
        with translated(self.url):
            async with self._turn:
                response = await self._client.request(method, path, **request)
            if response.status_code not in allowed:
                response.raise_for_status()
            return response

    def _decoded(self, content: bytes, kind: type[Any]) -> Any:
        with translated(self.url):
            return msgspec.json.decode(content, type=kind, strict=False)


def checked_url(config: Mapping[str, str], known: frozenset[str]) -> str:
    """The bare address of the access point; raises PermanentError for a configuration that cannot be right."""
    if unknown := sorted(config.keys() - known):
        raise PermanentError(
            f"Driver openepaperlink knows no setting {', '.join(unknown)}; it knows {', '.join(sorted(known))}."
        )
    url = config.get("url", "").rstrip("/")
    with translated(url):
        parsed = httpx.URL(url)
    if parsed.scheme != "http" or not parsed.host or parsed.path not in {"", "/"} or parsed.query or parsed.userinfo:
        raise PermanentError(f"Driver openepaperlink needs `url`, such as http://192.168.1.30, not {url!r}.")
    return url
