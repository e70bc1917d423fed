"""The access point as a process of its own, and the time it keeps."""

import asyncio
import json
import signal
import ssl
import sys

import httpx
import pytest
from click.testing import CliRunner

from display_drivers.openepaperlink.accesspoint import command as module
from display_drivers.openepaperlink.accesspoint.clock import Clock
from display_drivers.openepaperlink.accesspoint.process import serving
from display_drivers.openepaperlink.accesspoint.settings import Options

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP: no certificates to read
PACKAGE = "display_drivers.openepaperlink.accesspoint"


async def test_the_command_serves_until_told_to_stop_and_says_where_in_one_line():
    arguments = ["--tags", "3", "--types", "01,27", "--speed", "60", "--stopsleep", "0", "--no-nightly-reboot"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-m", PACKAGE, *arguments, stdout=asyncio.subprocess.PIPE
    )
    ready = json.loads(await process.stdout.readline())
    async with httpx.AsyncClient(verify=PLAIN) as client:
        tags = (await client.get(f"{ready['url']}/get_db")).json()["tags"]
        config = (await client.get(f"{ready['url']}/get_ap_config")).json()
        assert (await client.get(f"{ready['control']}/state")).json()["runstate"] == 2
    process.send_signal(signal.SIGTERM)
    assert (await process.stdout.read(), await process.wait()) == (b"", 0)
    assert [(tag["mac"], tag["hwType"]) for tag in tags] == [
        ("0000021000000001", 1),
        ("0000021000000002", 0x27),
        ("0000021000000003", 1),
    ]
    assert (config["stopsleep"], config["nightlyreboot"]) == (0, 0)


@pytest.mark.parametrize("arguments", [["--types", "FF"], ["--types", "x"], ["--first-mac", "12"], ["--tags", "-1"]])
def test_a_wrong_command_line_is_refused(arguments):
    answer = CliRunner().invoke(module.command, arguments)
    assert answer.exit_code == 2
    assert "Error" in answer.output


def test_the_command_hands_its_options_on(monkeypatch):
    given = []
    monkeypatch.setattr(module, "run", given.append)
    answer = CliRunner().invoke(
        module.command, ["--types", "00,B1", "--speed", "0", "--lock", "1", "--profile", "legacy"]
    )
    assert answer.exit_code == 0, answer.output
    assert given == [Options(tags=20, types=(0, 0xB1), lock=1, profile="legacy")]


async def test_a_locked_access_point_starts_without_its_tags():
    async with serving(Options(tags=2, lock=1)) as running:
        assert (running.point.db.records, len(running.point.air.tags)) == ([], 2)


async def test_time_runs_by_itself_at_its_speed():
    async with serving(Options(tags=1, speed=1000.0, start=1_800_014_400.0)) as running:
        for _ in range(200):
            await asyncio.sleep(0.01)
            if running.point.db.records[0].lastseen > 1_800_014_400:
                break
        assert running.point.db.records[0].lastseen > 1_800_014_400
        assert running.point.clock.now > 1_800_014_400


async def test_its_ports_are_its_own_again_after_a_refusal_and_free_at_the_end():
    async with serving(Options()) as running:
        running.point.power.refuse(5.0)
        running.point.clock.advance(5.0)
        async with httpx.AsyncClient(verify=PLAIN) as client:
            assert (await client.get(f"{running.url}/sysinfo")).status_code == 200
        running.point.power.refuse(5.0)
    port = int(running.url.rsplit(":", 1)[1])
    async with serving(Options(port=port)) as again:
        assert again.url == running.url


def test_a_jump_runs_everything_on_the_way_in_order_and_at_its_own_time():
    clock, seen = Clock(0.0, 100.0), []

    def note(name: str) -> None:
        seen.append((name, clock.now))

    def first() -> None:
        note("first")
        clock.after(1.0, lambda: note("added"))

    clock.after(3.0, lambda: note("last"))
    clock.after(1.0, first)
    clock.after(1.0, lambda: note("second"))
    clock.after(9.0, lambda: note("later"))
    clock.advance(5.0)
    assert seen == [("first", 101.0), ("second", 101.0), ("added", 102.0), ("last", 103.0)]
    assert clock.now == 105.0
