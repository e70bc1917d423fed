"""What tests do to the simulated store from outside, and see of it."""

import asyncio

import httpx
import pytest

from display_drivers.base import Data, Frame, Panel, Update
from display_drivers.errors import BusyError, UnreachableError
from display_drivers.gateway.frames import fingerprint

PANEL = Panel(296, 128, "BWR")
STRIPES = Frame(PANEL, b"\0\1\2\1" * (296 * 32))


async def test_the_glass_is_seen_with_its_content_and_history(driver, bench):
    await driver.push([Update("a", "SIM000001", 1, Frame(PANEL, bytes(296 * 128)))])
    await driver.push([Update("b", "SIM000001", 2, STRIPES)])
    glass = await bench.remote.glass(content=True, history=True)
    seen = glass["SIM000001"]
    assert (seen.token, seen.revision, seen.fingerprint, seen.face) == ("b", 2, fingerprint(STRIPES), STRIPES)
    assert [shot.token for shot in seen.history] == ["a", "b"]
    assert seen.shown_at == seen.history[-1].at
    assert (glass["SIM000002"].token, glass["SIM000002"].face, glass["SIM000002"].refreshes) == (None, None, 0)


async def test_data_is_seen_as_it_was_sent(simulated):
    content = {"name": "Žemlja", "price": "1.20", "tags": ["a", None, 2.5]}
    async with simulated(takes="data") as bench:
        driver = bench.driver()
        await driver.open()
        await driver.push([Update("a", "SIM000001", 1, Data(PANEL, content))])
        assert await bench.glass("SIM000001") == Data(PANEL, content) == await driver.glass("SIM000001")
        await driver.close()


async def test_the_glass_can_be_asked_for_one_gateway(simulated):
    async with simulated(displays=4, gateways=2) as bench:
        assert sorted(await bench.remote.glass(gateways=["g2"])) == ["SIM000002", "SIM000004"]
        assert len(await bench.remote.glass()) == 4


async def test_displays_are_added_by_the_thousand_and_by_name(driver, bench):
    added = await bench.remote.add_displays("g1", 5000)
    assert (len(added), added[0]) == (5000, "SIM000004")
    await bench.remote.add_named_displays("g1", [("AA:BB", Panel(400, 300, "BW"))])
    known = {display.address: display.panel for display in await driver.discover()}
    assert len(known) == 5004
    assert known["AA:BB"] == Panel(400, 300, "BW")


async def test_removed_displays_are_unknown(driver, bench):
    await bench.remote.remove_displays(["SIM000001", "SIM000002"])
    assert [display.address for display in await driver.discover()] == ["SIM000003"]


async def test_displays_go_absent_and_come_back(driver, bench):
    await bench.remote.change_displays(["SIM000001"], absent=True)
    await driver.push([Update("a", "SIM000001", 1, STRIPES), Update("b", "SIM000002", 1, STRIPES)])
    assert await bench.remote.settled()
    assert [await bench.glass(address) for address in ("SIM000001", "SIM000002")] == [None, STRIPES]
    await bench.remote.change_displays(absent=False, battery=50)
    assert await bench.remote.settled()
    assert await bench.glass("SIM000001") == STRIPES
    assert (await bench.remote.glass())["SIM000003"].battery == 50


async def test_a_display_moves_to_another_gateway_with_what_it_shows(simulated):
    async with simulated(gateways=2) as bench:
        driver = bench.driver()
        await driver.open()
        await driver.push([Update("a", "SIM000001", 1, STRIPES)])
        await driver.close()
        await bench.remote.change_displays(["SIM000001"], gateway="g2", battery=40)
        seen = (await bench.remote.glass(gateways=["g2"], content=True))["SIM000001"]
        assert (seen.face, seen.battery) == (STRIPES, 40)
        assert [gateway.displays for gateway in (await bench.remote.overview()).gateways] == [1, 2]


async def test_gateways_are_added_changed_and_rebooted(bench):
    await bench.remote.add_gateway("attic", takes="data")
    await bench.remote.change("attic", check_in=3.5, loss=0.25)
    await bench.remote.reboot("attic")
    attic = (await bench.remote.overview()).gateways[1]
    assert (attic.name, attic.behaviour.takes, attic.behaviour.check_in, attic.behaviour.loss) == (
        "attic",
        "data",
        3.5,
        0.25,
    )
    assert (await bench.remote.overview()).gateways[0].behaviour.loss == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/gateways/g1", '{"loss": 2}', 400),
        ("PATCH", "/gateways/g1", '{"los": 0.2}', 400),
        ("PATCH", "/gateways/*", "[" * 5000, 400),
        ("PATCH", "/gateways/g9", "{}", 404),
        ("POST", "/gateways", '{"name": "g1"}', 409),
        ("POST", "/gateways", '{"name": "a/b"}', 400),
        ("POST", "/displays", '{"gateway": "g1", "displays": [{"address": ""}]}', 400),
        ("PATCH", "/displays", '{"addresses": ["NOBODY"], "absent": true}', 404),
        ("GET", "/glass?address=NOBODY", "", 404),
        ("GET", "/settled?within=soon", "", 400),
        ("GET", "/moon", "", 404),
    ],
)
async def test_a_wrong_request_is_refused_in_words(bench, method, path, body, status):
    async with httpx.AsyncClient() as client:
        response = await client.request(method, bench.ready.control + path, content=body)
    assert response.status_code == status
    assert response.json()["detail"]


async def test_the_secret_guards_the_control_api_too(simulated):
    async with simulated(secret="right") as bench, httpx.AsyncClient() as client:
        assert (await client.get(bench.ready.control)).status_code == 401
        assert len((await bench.remote.overview()).gateways) == 1


async def test_settled_says_when_something_is_still_to_come(simulated):
    async with simulated(time_scale=1, check_in=0, transfer=30) as bench:
        driver = bench.driver()
        await driver.open()
        await driver.push([Update("a", "SIM000001", 1, STRIPES)])
        assert await bench.remote.settled(within=0) is False
        await bench.remote.reboot("g1")
        await driver.close()


async def test_pushes_that_overlap_are_counted_and_one_too_many_is_busy(simulated):
    async with simulated(time_scale=1, answer=0.1, max_in_flight=2, check_in=0) as bench:
        driver = bench.driver()
        await driver.open()
        updates = [Update(str(n), f"SIM00000{min(n, 2)}", n, STRIPES) for n in (1, 2, 3)]
        answers = await asyncio.gather(*(driver.push([update]) for update in updates), return_exceptions=True)
        await driver.close()
        traffic = (await bench.remote.stats()).gateways[0].traffic
    assert (traffic.max_in_flight, traffic.max_in_flight_per_display, traffic.in_flight) == (3, 2, 0)
    assert [type(answer) for answer in answers].count(BusyError) == 1


async def test_stats_tell_what_went_wrong_with_the_order(simulated):
    async with simulated(keeps_order=False) as bench:
        driver = bench.driver()
        await driver.open()
        for revision in (2, 1):
            await driver.push([Update(str(revision), "SIM000001", revision, STRIPES)])
        await driver.close()
        stats = await bench.remote.stats()
    assert [(v.address, v.newer, v.older) for v in stats.violations] == [("SIM000001", 2, 1)]
    assert (stats.refreshes, stats.gateways[0].counts["accepted"], stats.settled) == (2, 2, True)


async def test_a_gateway_that_goes_away_before_its_answer_has_taken_nothing(simulated):
    async with simulated(time_scale=1, answer=0.1, check_in=0) as bench:
        driver = bench.driver()
        await driver.open()
        push = asyncio.ensure_future(driver.push([Update("a", "SIM000001", 1, STRIPES)]))
        while not (await bench.remote.stats()).gateways[0].traffic.in_flight:
            pass
        await bench.remote.change(reach="closed")
        with pytest.raises(UnreachableError):
            await push
        await driver.close()
        assert (await bench.remote.stats()).gateways[0].counts == {}
