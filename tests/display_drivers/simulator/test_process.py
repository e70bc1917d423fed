"""The simulated store as a process of its own: it says where it is, and what is on the glass outlives it."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

import pytest

from display_drivers.base import Frame, Panel, Update
from display_drivers.errors import UnreachableError
from display_drivers.gateway import driver as make
from display_drivers.simulator.command import options
from display_drivers.simulator.remote import Remote

STRIPES = Frame(Panel(296, 128, "BWR"), b"\0\1\2\1" * (296 * 32))


@asynccontextmanager
async def process(*arguments):
    """The process and what it printed when it was ready."""
    command = (sys.executable, "-m", "display_drivers.simulator", *arguments)
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield running, json.loads(await running.stdout.readline())
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_it_says_where_it_is_and_stops_cleanly_on_sigterm():
    async with process("--displays", "5", "--gateways", "2", "--time-scale", "0") as (running, ready):
        assert ready["displays"] == 5
        assert ready["gateways"] == {name: f"{ready['url']}/gateways/{name}" for name in ("g1", "g2")}
        driver = make({"url": ready["gateways"]["g2"]})
        await driver.open()
        listening = asyncio.ensure_future(anext(driver.listen()))
        await driver.push([Update("a", "SIM000002", 1, STRIPES)])
        running.terminate()
        assert await running.wait() == 0
        await asyncio.wait({listening})
        await driver.close()


async def test_a_gateway_that_never_answers_does_not_keep_the_process_from_stopping():
    async with process("--reach", "silent", "--time-scale", "0") as (running, ready):
        opening = asyncio.ensure_future(make({"url": ready["gateways"]["g1"]}).open())
        async with Remote(ready["control"]) as remote:
            await remote.stats()
        running.terminate()
        assert await running.wait() == 0
        with pytest.raises(UnreachableError):
            await opening


async def test_the_glass_outlives_a_kill(tmp_path):
    arguments = ("--displays", "2", "--time-scale", "0", "--state", str(tmp_path / "glass"))
    async with process(*arguments) as (running, ready):
        driver = make({"url": ready["gateways"]["g1"]})
        await driver.open()
        await driver.push([Update("a", "SIM000001", 7, STRIPES)])
        running.kill()
        await driver.close()
    async with process(*arguments) as (_, ready), Remote(ready["control"]) as remote:
        seen = (await remote.glass(content=True))["SIM000001"]
        assert (seen.token, seen.revision, seen.face) == ("a", 7, STRIPES)


def test_every_setting_is_a_flag():
    given = options(["--panels", "400x300-BW,296x128-BWRY", "--loss", "0.5", "--keeps-order", "false", "--port", "8"])
    assert given.panels == (Panel(400, 300, "BW"), Panel(296, 128, "BWRY"))
    assert (given.behaviour.loss, given.behaviour.keeps_order, given.port) == (0.5, False, 8)
    assert options([]).displays == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--loss", "2"], "loss"),
        (["--panels", "big"], "296x128-BWR, not 'big'"),
        (["--displays", "-1"], "displays"),
        (["--takes", "pictures"], "takes"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_a_wrong_flag_ends_with_words_that_name_it(arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        options(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
