"""The README's walk with curl, word by word, as somebody does it who copies every command."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.walks import BETWEEN, documents, stand_in_for_curl
from tests.processes import free_port, installed

README = Path(__file__).parents[2] / "README.md"
SPEED = 20


@pytest.fixture(scope="module")
def blocks():
    """The commands of the section, block by block."""
    section = re.search(
        r"^## A walk with curl\n(.*?)^## ", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return re.findall(r"^```sh\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE)


@pytest.fixture
def stand_in(tmp_path):
    """A folder with a `curl` that is ours, for machines that have none."""
    return stand_in_for_curl(tmp_path)


async def test_every_command_of_the_readme_does_what_it_says(tmp_path, blocks, stand_in):
    async with installed(tmp_path, settings={}) as site:
        if shutil.which("curl") is None:
            site.environ["PATH"] += f":{stand_in}"
        hardware = str(free_port())
        serve, simulate, *walk = (one.replace("8080", str(site.port)).replace("7070", hardware) for one in blocks)
        await site.shell("serve", serve)
        await site.shell("simulator", f"{simulate.strip()} --time-scale {SPEED}")
        await site.ready()
        script = f"\necho '{BETWEEN}'\n".join(["set -eu", *walk])
        ended = await site.execute("sh", "-c", script)
        assert ended.code == 0, ended.err
        said = [out.strip() for out in ended.out.split(BETWEEN)[1:]]
        _set_up, _start, push, complete, events, outcome, glass, update = said
        look = walk[said.index(glass)]

        pushed = json.loads(push)
        assert (pushed["accepted"], pushed["rejected"]) == (2, 1)
        assert [(error["index"], error["field"]) for error in pushed["errors"]] == [(2, "price")]
        completing, status = documents(complete)
        assert completing["status"] == "processing"
        assert status["sessionId"] == completing["sessionId"] == pushed["sessionId"]
        last = json.loads(re.findall(r"^data: (.*)$", events, re.MULTILINE)[-1])
        assert (last["status"], last["tagsConfirmed"], last["tagsTotal"]) == ("completed", 3, 3)
        errors, displays = documents(outcome)
        assert [(row["index"], row["barcode"], row["field"]) for row in errors["data"]] == [
            (2, "5901234123457", "price")
        ]
        assert {(row["state"], row["proof"]) for row in displays["data"]} == {("confirmed", "displayed")}
        assert prices(json.loads(glass)) == {"SIM000001": "1.29", "SIM000002": "2.49", "SIM000003": "1.29"}
        assert documents(update)[0]["tags"] == 2
        assert all(address in update for address in prices(json.loads(glass)))
        async with asyncio.timeout(20):
            while (await site.run("displays", "--store", "corner", "--wrong", "--json")).out:
                pass
        cheaper = await site.execute("sh", "-c", look)
        assert prices(json.loads(cheaper.out)) == {"SIM000001": "1.19", "SIM000002": "2.49", "SIM000003": "1.19"}


async def test_the_stand_in_for_curl_says_what_the_service_says(tmp_path, stand_in):
    async with installed(tmp_path, settings={}) as site:
        await site.start("serve")
        await site.ready()
        headers = ("-H", "Authorization: Bearer nobody", "-H", "Content-Type: application/json")
        refused = await site.execute(str(stand_in / "curl"), "-s", *headers, f"{site.url}/add", "-d", "{}")
        assert json.loads(refused.out)["code"] == "unauthorized"
        alive = await site.execute(str(stand_in / "curl"), "-s", "-N", f"{site.url}/health/live")
        assert alive.code == 0


def prices(glass):
    return {seen["address"]: seen["data"]["slots"][0]["price"] for seen in glass["displays"]}
