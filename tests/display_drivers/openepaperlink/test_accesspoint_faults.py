"""What a test can do to the simulated access point, and see of it: the control API and the faults (F rules)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from display_drivers.openepaperlink.accesspoint.process import Running, serving
from display_drivers.openepaperlink.accesspoint.remote import Remote
from display_drivers.openepaperlink.accesspoint.settings import Options
from tests.display_drivers.openepaperlink.conftest import soon

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: no certificates to read
MAC = "0000021000000001"
NOON = 1_800_014_400.0


class Bench:
    def __init__(self, running: Running, client: httpx.AsyncClient, remote: Remote) -> None:
        self.running, self.client, self.remote, self.point = running, client, remote, running.point

    async def record(self) -> dict:
        return (await self.client.get(f"/get_db?mac={MAC}")).json()["tags"][0]

    async def colours(self, mac: str = MAC) -> list[str]:
        return ["".join(sorted(set(seen["colours"]))) for seen in await self.remote.history(mac)]

    async def upload(self) -> httpx.Response:
        return await self.client.post("/imgupload", data={"mac": MAC}, files={"file": b"bytes"})


@asynccontextmanager
async def started(**options: object) -> AsyncIterator[Bench]:
    settings = {"tags": 2, "start": NOON, "types": (1, 0x27)} | options
    async with (
        serving(Options(**settings)) as running,
        httpx.AsyncClient(base_url=running.url, timeout=5, verify=PLAIN) as client,
        Remote(running.control) as remote,
    ):
        yield Bench(running, client, remote)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with started() as ready:
        yield ready


# -- the control API -------------------------------------------------------------------------------------------------


async def test_tags_are_put_up_seen_and_taken_down(bench):
    await bench.remote.put_up({"mac": "aabbccddeeff", "hwType": 54, "checkIn": 45.0, "refresh": 5.0, "adopted": True})
    tags = await bench.remote.tags()
    assert tags["0000AABBCCDDEEFF"] == {
        "mac": "0000AABBCCDDEEFF",
        "hwType": 54,
        "shown": None,
        "shownAt": None,
        "transfers": 0,
        "refreshes": 0,
    }
    assert await bench.remote.glass("0000AABBCCDDEEFF") is None
    await bench.remote.take_down("AABBCCDDEEFF")
    assert list(await bench.remote.tags()) == [MAC, "0000021000000002"]


async def test_a_tag_that_is_not_adopted_is_unknown_until_it_checks_in(bench):
    await bench.remote.put_up({"mac": "00000000000000AA"})
    assert (await bench.client.get("/get_db?mac=00000000000000AA")).json() == {"tags": []}
    await bench.remote.advance(61)
    assert len((await bench.client.get("/get_db?mac=00000000000000AA")).json()["tags"]) == 1


async def test_the_glass_is_seen_as_the_shopper_sees_it(bench):
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(120)
    glass = await bench.remote.glass(MAC)
    assert (glass["width"], glass["height"], glass["colours"]) == (296, 128, "R" * 296 * 128)
    assert NOON < glass["at"] < NOON + 120
    (seen,) = await bench.remote.history(MAC)
    shown = (await bench.remote.tags())[MAC]
    assert (shown["shown"], shown["shownAt"]) == (seen["md5"], seen["at"])


async def test_the_state_counts_what_reached_the_port(bench):
    for _ in range(3):
        await bench.client.get("/sysinfo")
    await bench.upload()
    state = await bench.remote.state()
    assert state["requests"] == {"/sysinfo": 3, "/imgupload": 1}
    assert (state["overlappingUploads"], 1 <= state["requestsPerSecondMost"] <= 4) == (0, True)
    assert (state["now"], state["runstate"], state["websockets"], state["reboots"]) == (NOON, 2, 0, 0)
    assert state["uploadBytes"] > 5
    assert "/tagtypes/01.json" in state["files"]


async def test_the_queue_and_the_slots_are_seen(bench):
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"}, absent=[MAC])
    await bench.remote.advance(2)
    state = await bench.remote.state()
    assert [(item["mac"], item["dataType"], item["attempts"]) for item in state["queue"]] == [(MAC, 0x21, 20)]
    assert state["slots"][0]["dataVer"] == state["queue"][0]["dataVer"]


async def test_a_button_wakes_a_tag_at_once(bench):
    before = (await bench.record())["lastseen"]
    await bench.remote.advance(3)
    await bench.remote.press(MAC, 5)
    record = await bench.record()
    assert (record["lastseen"] - before, record["wakeupReason"]) == (3, 5)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", {"flood": 1}, 400),
        ("POST", "/faults", {"refuse": "long"}, 400),
        ("POST", "/faults", {"absent": ["00000000000000AA"]}, 400),
        ("POST", "/faults", {"foreign_upload": {"mac": MAC, "colour": "G"}}, 400),
        ("POST", "/faults", {"missing_type": "zz"}, 400),
        ("POST", "/advance", {"seconds": -1}, 400),
        ("POST", "/tags", [{"mac": "12"}], 400),
        ("POST", "/tags", [{"mac": MAC, "hwType": 250}], 400),
        ("POST", "/tags", [{"mac": MAC, "colour": 1}], 400),
        ("GET", "/tags/00000000000000AA/glass", None, 404),
        ("GET", "/nothing", None, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_sentence(bench, method, path, body, status):
    async with httpx.AsyncClient(base_url=bench.running.control, verify=PLAIN) as client:
        answer = await client.request(method, path, json=body)
    assert answer.status_code == status
    assert len(answer.json()["error"].split()) > 3


async def test_an_unknown_fault_keeps_the_known_ones_beside_it_from_happening(bench):
    with pytest.raises(httpx.HTTPStatusError):
        await bench.remote.fault(lose_db=True, flood=1)
    assert len(bench.point.db.records) == 2


# -- connections -----------------------------------------------------------------------------------------------------


async def test_connections_can_be_refused_for_a_while_and_the_tags_go_on(bench):
    await bench.client.get("/sysinfo")
    await bench.remote.fault(refuse=5.0, foreign_upload={"mac": MAC, "colour": "K"})
    with pytest.raises(httpx.ConnectError):
        await bench.client.get("/sysinfo")
    await bench.remote.advance(4)
    with pytest.raises(httpx.ConnectError):
        await bench.client.get("/sysinfo")
    await bench.remote.advance(2)
    assert (await bench.record())["pending"] == 1


async def test_an_upload_can_be_taken_and_its_answer_lost(bench):
    await bench.remote.fault(reset_after_body=2)
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            await bench.upload()
    assert (await bench.record())["contentMode"] == 24
    assert (await bench.upload()).status_code == 200


async def test_any_answer_can_be_lost_after_its_request_had_its_effect(bench):
    await bench.remote.fault(reset_before_answer=1)
    with pytest.raises(httpx.ReadError):
        await bench.client.post("/save_cfg", data={"mac": MAC, "alias": "milk"})
    assert (await bench.record())["alias"] == "milk"


async def test_answers_can_be_slow_in_virtual_seconds(bench):
    await bench.remote.fault(slow=10.0)
    asking = asyncio.create_task(bench.client.get("/sysinfo"))
    await soon(lambda: bool(bench.running.frontage.traffic.requests))
    await bench.remote.advance(9)
    assert not asking.done()
    await bench.remote.advance(1)
    assert (await asking).status_code == 200


async def test_a_json_answer_can_arrive_cut_short(bench):
    await bench.remote.fault(truncate=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.client.get("/get_db")
    assert (await bench.client.get("/get_db")).status_code == 200


async def test_it_can_crash_and_throw_uploads_away_for_half_a_minute(bench):
    await bench.remote.fault(crash=True)
    assert (await bench.remote.state())["reboots"] == 1
    await bench.remote.advance(8)
    assert (await bench.client.get("/get_db")).json() == {"tags": []}
    await bench.remote.advance(20)
    assert (await bench.upload()).status_code == 200
    assert not [name for name in (await bench.remote.state())["files"] if name.startswith("/temp/")]
    await bench.remote.advance(14)
    assert (await bench.remote.state())["runstate"] == 2


async def test_shutting_the_port_in_the_moment_of_its_opening_keeps_it_shut(bench):
    bench.point.power.refuse(1.0)
    bench.point.clock.advance(1.0)
    bench.point.power.refuse(1.0)
    await asyncio.sleep(0.01)
    with pytest.raises(httpx.ConnectError):
        await bench.client.get("/sysinfo")


async def test_refusing_longer_than_a_restart_takes_keeps_the_port_shut(bench):
    await bench.remote.fault(refuse=60.0)
    await bench.remote.fault(reboot=True)
    await bench.remote.advance(30)
    with pytest.raises(httpx.ConnectError):
        await bench.client.get("/sysinfo")
    await bench.remote.advance(31)
    assert (await bench.client.get("/sysinfo")).status_code == 200


# -- tags ------------------------------------------------------------------------------------------------------------


async def test_an_absent_tag_comes_back_and_shows_what_waits(bench):
    await bench.remote.fault(absent=[MAC])
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(600)
    assert await bench.colours() == []
    await bench.remote.fault(present=[MAC])
    await bench.remote.advance(120)
    assert await bench.colours() == ["R"]


async def test_a_tag_with_a_broken_panel_takes_everything_and_shows_nothing(bench):
    await bench.remote.fault(never_shows=[MAC])
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(120)
    assert (await bench.record())["updatecount"] == 1
    assert (await bench.remote.glass(MAC), (await bench.remote.tags())[MAC]["transfers"]) == (None, 1)
    await bench.remote.fault(present=[MAC])
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "K"})
    await bench.remote.advance(700)
    assert await bench.colours() == ["K"]


async def test_a_tag_can_be_replaced_by_one_of_another_type(bench):
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(120)
    await bench.remote.fault(replace={"mac": MAC, "hwType": 0x36})
    assert await bench.remote.glass(MAC) is None
    await bench.remote.advance(61)
    record = await bench.record()
    assert (record["hwType"], record["wakeupReason"], record["hash"]) == (0x36, 0xFC, "0" * 32)


async def test_a_tag_can_move_to_another_access_point(bench):
    await bench.remote.fault(moved={"mac": MAC, "apip": "192.0.2.7"})
    record = await bench.record()
    assert (record["isexternal"], record["apip"], record["contentMode"]) == (True, "192.0.2.7", 12)


async def test_a_type_file_can_be_missing_and_put_back(bench):
    data = (await bench.client.get("/tagtypes/01.json")).content
    await bench.remote.fault(missing_type="01")
    assert (await bench.client.get("/tagtypes/01.json")).status_code == 404
    await bench.client.post("/littlefs_put", data={"path": "/tagtypes/01.json"}, files={"file": data})
    assert (await bench.client.get("/tagtypes/01.json")).status_code == 200


async def test_the_clock_can_be_wrong_until_it_is_set(bench):
    await bench.remote.fault(clock=0)
    await bench.remote.advance(100)
    assert (await bench.record())["lastseen"] < 1000
    await bench.client.post("/set_time", data={"epoch": "1900000000"})
    await bench.remote.advance(100)
    assert (await bench.record())["lastseen"] > 1_900_000_000


async def test_the_radio_can_fail(bench):
    await bench.remote.fault(apstate=5)
    assert (await bench.client.get("/get_ap_config")).json()["apstate"] == "5"
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(60)
    assert (await bench.record())["nextupdate"] == 0


async def test_the_database_can_be_lost_and_tags_are_adopted_again_without_names(bench):
    bench.point.db.get(MAC).alias = "milk"
    await bench.remote.fault(lose_db=True)
    assert (await bench.client.get("/get_db")).json() == {"tags": []}
    await bench.remote.advance(400)
    record = await bench.record()
    assert (record["alias"], record["hwType"]) == ("", 1)


async def test_the_file_system_can_be_nearly_full(bench):
    await bench.remote.fault(fs_free=20_000)
    assert bench.point.files.free == 20_000
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "R"})
    await bench.remote.advance(60)
    assert await bench.colours() == []
    await bench.remote.fault(fs_free=None)
    await bench.remote.advance(120)
    assert await bench.colours() == ["R"]


async def test_a_stranger_can_upload_between_our_steps(bench):
    await bench.upload()
    ours = (await bench.record())["modecfgjson"]
    await bench.remote.fault(foreign_upload={"mac": MAC, "colour": "W"})
    assert (await bench.record())["modecfgjson"] != ours


async def test_uploads_at_once_can_be_limited(bench):
    await bench.remote.fault(max_uploads=0)
    with pytest.raises(httpx.ReadError):
        await bench.upload()
