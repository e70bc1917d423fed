"""The driver against a simulated store, and against peers that break the protocol, over real sockets."""

import asyncio
import gzip
from contextlib import asynccontextmanager

import httpx
import pytest

from display_drivers.base import Blinks, Data, Discovers, Frame, Listens, Panel, Proof, Renders, Update
from display_drivers.errors import (
    BusyError,
    FrameRefusedError,
    NotAllowedError,
    PermanentError,
    StaleError,
    UnknownDisplayError,
    UnreachableError,
)
from display_drivers.gateway import driver as make

PANEL = Panel(296, 128, "BWR")
WHITE, BLACK = Frame(PANEL, b"\1" * 296 * 128), Frame(PANEL, bytes(296 * 128))
INFO = b'{"protocols":[1],"name":"x","takes":"frame","proof":"displayed","maxBatch":10,"maxInFlight":1,'
INFO += b'"sendTimeout":0.2,"reportsWithin":60,"time":1}'


def answer(body: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n%s\r\n%s" % (status, len(body), extra, body)


@asynccontextmanager
async def peer(*answers: bytes | None):
    """Gives the n-th answer to the n-th request, whatever it asks; None: hangs up. Yields its URL and connections."""
    script, connections = iter(answers), []

    async def serve(reader, writer):
        connections.append(writer)
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))
            if (body := next(script, None)) is None:
                break
            writer.write(body)
        writer.close()

    async def guarded(reader, writer):
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}", connections
    finally:
        server.close()
        for connection in connections:
            connection.close()


async def listeners(bench, count: int) -> None:
    """Returns when the gateway has so many; the test's own time-out ends the wait."""
    while (await bench.remote.stats()).gateways[0].traffic.listeners != count:
        pass


def test_it_has_every_optional_ability():
    driver = make({"url": "http://127.0.0.1:1"})
    assert all(isinstance(driver, ability) for ability in (Listens, Blinks, Discovers, Renders))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "needs `url`"),
        ({"url": "gateway.local"}, "needs `url`"),
        ({"url": "ftp://gateway"}, "needs `url`"),
        ({"url": "http://"}, "needs `url`"),
        ({"url": "http://gateway:port"}, "Check the url"),
        ({"url": "http://user:word@gateway"}, "bare address"),
        ({"url": "http://gateway?x=1"}, "bare address"),
        ({"url": "http://gateway", "sekret": "x"}, "no setting sekret; it knows secret, url"),
        ({"url": "http://gateway", "secret": "line\nbreak"}, "visible ASCII"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_refused(config, words):
    with pytest.raises(PermanentError, match=words):
        make(config)


async def test_it_states_what_its_gateway_is(simulated):
    async with simulated(takes="data", proof="delivered", max_batch=7, max_in_flight=3, reports_within=90) as bench:
        driver = bench.driver()
        await driver.open()
        info = driver.info
        await driver.close()
    assert (info.name, info.takes, info.proof, info.max_batch) == ("gateway", "data", Proof.DELIVERED, 7)
    assert (info.max_in_flight, info.send_timeout, info.reports_within, info.carries_id) == (3, 10.0, 90.0, True)


async def test_a_wrong_secret_is_not_allowed(simulated):
    async with simulated(secret="right") as bench:
        url = bench.ready.gateways["g1"]
        with pytest.raises(NotAllowedError, match="Check its secret"):
            await make({"url": url}).open()
        driver = make({"url": url, "secret": "right"})
        await driver.open()
        await driver.close()


async def test_each_outcome_is_told_apart(driver, bench):
    await driver.push([Update("newer", "SIM000001", 5, WHITE)])
    updates = [
        Update("older", "SIM000001", 4, BLACK),
        Update("lost", "NOBODY", 1, WHITE),
        Update("unfit", "SIM000002", 1, Frame(PANEL, b"\1")),
        Update("data", "SIM000002", 1, Data(PANEL, {"name": "Milk"})),
        Update("good", "SIM000003", 1, WHITE),
    ]
    outcomes = await driver.push(updates)
    kinds = [StaleError, UnknownDisplayError, FrameRefusedError, FrameRefusedError, type(None)]
    assert [type(outcome.error) for outcome in outcomes] == kinds
    assert [outcome.token for outcome in outcomes] == [update.token for update in updates]
    assert outcomes[0].error.revision == 5
    assert [outcome.mark for outcome in outcomes] == [None, None, None, None, "good"]


async def test_a_busy_gateway_says_when_to_come_again(driver, bench):
    await bench.remote.change(busy=1, busy_retry_after=8)
    [outcome] = await driver.push([Update("t", "SIM000001", 1, WHITE)])
    assert isinstance(outcome.error, BusyError)
    assert outcome.error.retry_after == 8


async def test_a_push_whose_answer_is_lost_is_applied_and_unreachable_and_harmless_to_repeat(driver, bench):
    await bench.remote.change(lost_answers=1)
    update = Update("t", "SIM000001", 1, WHITE)
    with pytest.raises(UnreachableError):
        await driver.push([update])
    assert await bench.glass("SIM000001") == WHITE
    await bench.remote.change(lost_answers=0)
    [outcome] = await driver.push([update])
    assert outcome.error is None
    assert (await bench.remote.glass(["SIM000001"]))["SIM000001"].refreshes == 1


@pytest.mark.parametrize("reach", ["closed", "unavailable"])
async def test_a_gateway_that_is_away_is_unreachable_until_it_is_back(reach, driver, bench):
    await bench.remote.change(reach=reach)
    for call in (driver.poll(["SIM000001"]), driver.push([Update("t", "SIM000001", 1, WHITE)]), driver.open()):
        with pytest.raises(UnreachableError):
            await call
    await bench.remote.change(reach="up")
    await driver.open()
    assert len(await driver.poll(["SIM000001"])) == 1


async def test_a_port_that_nobody_listens_on_is_unreachable(unused_tcp_port):
    with pytest.raises(UnreachableError):
        await make({"url": f"http://127.0.0.1:{unused_tcp_port}"}).open()


async def test_a_silent_gateway_is_given_up_after_its_send_timeout(simulated):
    async with simulated(send_timeout=0.1) as bench:
        driver = bench.driver()
        await driver.open()
        await bench.remote.change(reach="silent")
        with pytest.raises(UnreachableError):
            await driver.push([Update("t", "SIM000001", 1, WHITE)])
        await driver.close()


async def test_a_driver_that_is_not_open_is_unreachable():
    with pytest.raises(UnreachableError, match="not open"):
        await make({"url": "http://127.0.0.1:1"}).poll(["A"])


async def test_the_stream_tells_what_is_shown_and_breaks_when_the_gateway_goes(driver, bench):
    reports = driver.listen()
    first = asyncio.ensure_future(anext(reports))
    await listeners(bench, 1)
    await driver.push([Update("t", "SIM000001", 1, WHITE)])
    assert (await first).shows == "t"
    await bench.remote.change(reach="closed")
    with pytest.raises(UnreachableError):
        await anext(reports)
    await listeners(bench, 0)


async def test_a_listener_that_leaves_is_forgotten(driver, bench):
    listening = asyncio.ensure_future(anext(driver.listen()))
    await listeners(bench, 1)
    listening.cancel()
    await asyncio.wait({listening})
    await listeners(bench, 0)


async def test_an_address_with_a_slash_is_one_address(driver, bench):
    await bench.remote.add_named_displays("g1", [("a/b c%", PANEL)])
    assert await driver.glass("a/b c%") is None
    await driver.blink("a/b c%", 1)
    assert (await bench.remote.glass(["a/b c%"]))["a/b c%"].blinks == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Log in to the guest network</html>",
        b"\xff\xfe",
        b'{"outcomes":[]}',
        b'{"outcomes":[{"token":"other","outcome":"accepted"}]}',
        b'{"outcomes":[{"token":"t","outcome":"perhaps"}]}',
    ],
)
async def test_an_answer_that_is_not_understood_is_a_lost_answer(body):
    async with peer(answer(INFO), answer(body)) as (url, _):
        driver = make({"url": url})
        await driver.open()
        with pytest.raises(UnreachableError):
            await driver.push([Update("t", "A", 1, WHITE)])
        await driver.close()


async def test_a_compressed_answer_is_understood_and_a_damaged_one_is_lost():
    whole = answer(gzip.compress(b'{"reports":[]}'), extra=b"content-encoding: gzip\r\n")
    damaged = answer(b"not gzip", extra=b"content-encoding: gzip\r\n")
    async with peer(answer(INFO), whole, damaged) as (url, _):
        driver = make({"url": url})
        await driver.open()
        assert await driver.poll(["A"]) == []
        with pytest.raises(UnreachableError):
            await driver.poll(["A"])
        await driver.close()


async def test_a_gateway_of_another_protocol_version_is_refused():
    async with peer(answer(INFO.replace(b"[1]", b"[2,3]"))) as (url, _):
        with pytest.raises(PermanentError, match="speaks protocol 2, 3; this driver speaks 1"):
            await make({"url": url}).open()


async def test_an_ability_that_the_gateway_lacks_is_refused_for_good():
    lacking = answer(b'{"code":"notSupported","detail":"No light."}', b"501 Not Implemented")
    async with peer(answer(INFO), lacking) as (url, _):
        driver = make({"url": url})
        await driver.open()
        with pytest.raises(PermanentError, match="No light"):
            await driver.blink("A", 1)
        await driver.close()


async def test_a_claim_beyond_the_declared_proof_counts_as_the_declared_one():
    info = INFO.replace(b"displayed", b"accepted")
    report = b'{"reports":[{"address":"A","at":5,"shows":"t","proof":"displayed"},{"address":"B","at":6}]}'
    async with peer(answer(info), answer(report)) as (url, _):
        driver = make({"url": url})
        await driver.open()
        claimed, bare = await driver.poll(["A", "B"])
        await driver.close()
    assert (claimed.proof, bare.proof, bare.battery) == (Proof.ACCEPTED, None, None)


async def test_connections_are_kept_and_one_that_the_gateway_closed_is_replaced():
    empty = answer(b'{"reports":[]}')
    async with peer(answer(INFO), empty, empty) as (url, connections):
        driver = make({"url": url})
        await driver.open()
        await driver.poll(["A"])
        assert len(connections) == 1
        connections[0].close()
        await connections[0].wait_closed()
        assert await driver.poll(["A"]) == []
        assert len(connections) == 2
        await driver.close()


async def test_a_kept_connection_that_closes_under_a_push_is_a_lost_answer_and_not_sent_twice():
    async with peer(answer(INFO), None, answer(b"{}")) as (url, connections):
        driver = make({"url": url})
        await driver.open()
        with pytest.raises(UnreachableError):
            await driver.push([Update("t", "A", 1, WHITE)])
        assert len(connections) == 1
        await driver.close()


async def test_a_proxy_of_the_environment_is_not_used(bench, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    driver = bench.driver()
    await driver.open()
    await driver.close()


async def test_the_gateway_refuses_a_protocol_version_that_it_does_not_speak(bench):
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{bench.ready.gateways['g1']}/info", headers={"shelfcast-protocol": "9"})
    assert (response.status_code, response.json()["code"]) == (400, "unsupportedProtocol")
