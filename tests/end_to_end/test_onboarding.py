"""docs/onboarding.md, word by word, as somebody does it who copies every command: from nothing to production."""

import contextlib
import re
import shutil
from pathlib import Path

import httpx
import pytest

from service.tenants.simulated import PORT_FILE
from tests.end_to_end.walks import BETWEEN, documents, stand_in_for_curl
from tests.processes import installed
from tests.shop import until

pytestmark = pytest.mark.timeout(420)

PAGE = Path(__file__).parents[2] / "docs" / "onboarding.md"


def blocks():
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


async def test_every_command_of_the_onboarding_page_leads_on_to_production(on_sqlite, tmp_path):
    async with installed(on_sqlite.data_dir, settings={}) as site:
        if shutil.which("curl") is None:
            site.environ["PATH"] += f":{stand_in_for_curl(tmp_path)}"
        serve, *walk = (block.replace("8080", str(site.port)) for block in blocks())
        await site.shell("serve", serve)
        await site.ready(within=90)
        ended = await site.execute("sh", "-c", f"\necho '{BETWEEN}'\n".join(["set -eu", *walk]), within=280)
        assert ended.code == 0, ended.err
        said = [documents(out.strip()) for out in ended.out.split(BETWEEN)[1:]]
        _chain, found, store, simulated, _token, who, at_first, feed, batch, polls, errors, asked = said[:12]
        _decision, live, rotated, revoked = said[12:]

        assert any(endpoint["operationId"] == "askForProduction" for endpoint in found[0]["endpoints"])
        assert (store[0]["slug"], store[0]["environment"]) == ("corner-lab", "sandbox")
        assert [display["barcode"] for display in simulated[0]["displays"]][:2] == ["4006381333931", "3800065711135"]
        assert (who[0]["slug"], who[0]["token"]["store"], who[0]["allowed"]) == ("corner", "corner-lab", ["feed"])
        assert not at_first[0]["complete"]
        assert [answer["tags"] for answer in feed] == [2, 1]
        assert [answer["rejected"] for answer in batch[:2]] == [0, 1]
        assert (polls[-1]["status"], polls[-1]["tagsConfirmed"], polls[-1]["tagsTotal"]) == ("completed", 2, 2)
        assert [row["barcode"] for row in errors[0]["data"]] == ["5901234123457"]
        assert asked[0]["state"] == "open"
        assert "integration@pos.example" in ended.out
        assert live[0]["created"] == 1
        assert (rotated[0]["token"]["store"], rotated[0]["token"]["name"]) == ("corner-0901", "POS")
        assert rotated[0]["token"]["replaces"] is not None
        assert (revoked[0]["active"], revoked[1]["code"]) == (False, "unauthorized")

        # What is on the simulated glass outlives the process that simulates it.
        site.kill_child("simulator")
        port = (site.settings.data_dir / PORT_FILE).read_text(encoding="ascii")

        async def shown():
            async with httpx.AsyncClient(trust_env=False) as client:
                with contextlib.suppress(httpx.TransportError):
                    glass = (await client.get(f"http://127.0.0.1:{port}/control/glass")).json()["displays"]
                    return {seen["address"] for seen in glass if seen.get("token")} == {
                        "corner-lab-001",
                        "corner-lab-002",
                    }
            return False

        await until(shown, within=30)
