"""The access point's WebSocket: what it says, and what it loses (W rules)."""

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import msgspec
import pytest
from PIL import Image
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from display_drivers.openepaperlink.accesspoint.process import Running, serving
from display_drivers.openepaperlink.accesspoint.remote import Remote
from display_drivers.openepaperlink.accesspoint.settings import Options
from tests.display_drivers.openepaperlink.conftest import soon

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: no certificates to read
MAC = "0000021000000001"
END = "no firmware says this"


class Bench:
    def __init__(self, running: Running, remote: Remote, stack: AsyncExitStack) -> None:
        self.running, self.remote, self.point, self._stack = running, remote, running.point, stack

    async def listen(self) -> ClientConnection:
        uri = self.running.url.replace("http", "ws") + "/ws"
        return await self._stack.enter_async_context(connect(uri, proxy=None, close_timeout=0.2))

    async def upload(self, colour: str) -> None:
        file = io.BytesIO()
        Image.new("RGB", (296, 128), colour).save(file, "JPEG", quality=95, subsampling=0)
        async with httpx.AsyncClient(base_url=self.running.url, verify=PLAIN) as client:
            await client.post("/imgupload", data={"mac": MAC, "dither": "0"}, files={"file": file.getvalue()})


@asynccontextmanager
async def started(**options: object) -> AsyncIterator[Bench]:
    settings = {"tags": 1, "start": 1_800_014_400.0, "seed": 3} | options
    async with (
        serving(Options(**settings)) as running,
        Remote(running.control) as remote,
        AsyncExitStack() as stack,
    ):
        yield Bench(running, remote, stack)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with started() as ready:
        yield ready


async def heard(bench: Bench, socket: ClientConnection) -> list[dict]:
    """Whatever was sent until now, or until the socket was closed."""
    await bench.point.hub.flush()
    bench.point.log(END)
    frames: list[dict] = []
    async with asyncio.timeout(5):
        while True:
            try:
                frame = msgspec.json.decode(await socket.recv())
            except ConnectionClosed:
                return frames
            if frame == {"logMsg": END}:
                return frames
            frames.append(frame)


def words(frames: list[dict]) -> list[str]:
    return [frame.get("logMsg") or frame["errMsg"] for frame in frames if frame.keys() & {"logMsg", "errMsg"}]


async def test_nothing_is_sent_on_connect_and_what_the_client_says_is_ignored(bench):
    socket = await bench.listen()
    await socket.send("hello")
    await (await socket.ping())
    assert await heard(bench, socket) == []
    assert (await bench.remote.state())["websockets"] == 1


async def test_sys_comes_every_five_seconds_and_its_counts_once_a_minute(bench):
    socket = await bench.listen()
    await bench.remote.advance(125)
    frames = [frame["sys"] for frame in await heard(bench, socket) if "sys" in frame]
    assert len(frames) == 25
    assert [at for at, frame in enumerate(frames) if "timeoutcount" in frame] == [0, 12, 24]
    assert (frames[0]["recordcount"], frames[0]["runstate"], frames[-1]["uptime"]) == (1, 2, 125)


async def test_the_way_of_an_image_is_told_in_the_firmwares_words(bench):
    socket = await bench.listen()
    await bench.upload("red")
    await bench.remote.advance(70)
    frames = await heard(bench, socket)
    lines = words(frames)
    assert lines[0] == f"Updating {MAC}"
    assert lines[1].startswith(f"new image: /current/{MAC}_")
    assert lines[1].endswith(".pending")
    assert [line.split(" checksum ")[0].split(" block ", 2)[-1] for line in lines[2:-1]] == [
        "0, len 4096",
        "1, len 4096",
        "2, len 1280",
    ]
    assert lines[-1] == f"{MAC} reports xfer complete\r\n"
    uploads = [frame["upload"] for frame in frames if "upload" in frame]
    assert uploads == [{"src": MAC, "current": number, "total": 3} for number in (1, 2, 3)]


async def test_every_change_of_a_record_is_told_whole(bench):
    socket = await bench.listen()
    await bench.upload("red")
    await bench.remote.advance(70)
    records = [frame["tags"][0] for frame in await heard(bench, socket) if "tags" in frame]
    assert [record["mac"] for record in records] == [MAC] * len(records)
    assert [record["pending"] for record in records if record["contentMode"] == 24][:2] == [0, 1]
    assert {record["updatecount"] for record in records} == {0, 1}


async def test_legacy_firmware_tells_nothing_of_blocks_as_frames():
    async with started(profile="legacy") as bench:
        socket = await bench.listen()
        await bench.upload("red")
        await bench.remote.advance(70)
        assert not [frame for frame in await heard(bench, socket) if "upload" in frame]


async def test_asking_for_the_settings_makes_it_announce_itself(bench):
    socket = await bench.listen()
    async with httpx.AsyncClient(base_url=bench.running.url, verify=PLAIN) as client:
        await client.get("/get_ap_config")
    (frame,) = await heard(bench, socket)
    assert (frame["apitem"]["count"], frame["apitem"]["version"]) == (1, "0029")


async def test_a_ninth_client_closes_the_oldest(bench):
    sockets = [await bench.listen() for _ in range(9)]
    with pytest.raises(ConnectionClosed):
        await sockets[0].recv()
    assert (await bench.remote.state())["websockets"] == 8


async def test_frames_beyond_32_that_nobody_took_are_dropped_silently(bench):
    socket = await bench.listen()
    for number in range(40):
        bench.point.log(str(number))
    assert words(await heard(bench, socket)) == [str(number) for number in range(32)]


async def test_frames_can_be_dropped_on_purpose_and_sockets_closed(bench):
    socket = await bench.listen()
    await bench.remote.fault(drop_frames=50)
    for number in range(30):
        bench.point.log(str(number))
    await bench.remote.fault(drop_frames=0)
    assert 5 < len(await heard(bench, socket)) < 25
    await bench.remote.fault(close_sockets=True)
    with pytest.raises(ConnectionClosed):
        await socket.recv()


async def test_an_orderly_restart_is_announced_and_closes_the_sockets(bench):
    socket = await bench.listen()
    await bench.remote.fault(reboot=True)
    assert words(await heard(bench, socket)) == ["REBOOTING"]
    assert socket.close_code == 1001
    await bench.remote.advance(12)
    assert await heard(bench, await bench.listen()) == []


async def test_a_crash_says_nothing(bench):
    socket = await bench.listen()
    await bench.remote.fault(crash=True)
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is None


async def test_an_open_socket_keeps_tags_awake_as_long_as_stopsleep_is_set(bench):
    await bench.listen()
    await bench.remote.advance(700)
    assert (await bench.remote.state())["slots"] == []


async def test_a_client_that_leaves_without_a_word_is_forgotten(bench):
    socket = await bench.listen()
    socket.transport.abort()
    await soon(lambda: not bench.point.hub.clients)


async def test_a_client_that_never_reads_holds_nothing_up(bench):
    host, port = bench.running.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1)
    lines = [b"GET /ws HTTP/1.1", b"Host: x", b"Upgrade: websocket", b"Connection: Upgrade"]
    lines += [b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"", b""]
    writer.write(b"\r\n".join(lines))
    await soon(lambda: bool(bench.point.hub.clients))
    for _ in range(200):
        bench.point.log("x" * 100_000)
        await asyncio.sleep(0)
    assert len(bench.point.hub.clients[0].waiting) == 32
    assert await bench.remote.advance(600) == 1_800_015_000
    writer.transport.abort()
