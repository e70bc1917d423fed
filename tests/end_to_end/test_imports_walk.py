"""The commands of docs/imports.md, word by word, as somebody does it who copies every one."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from service.core.scopes import Scope
from service.importing.formats import bundled
from service.importing.outcomes import Fault
from service.settings import Settings
from service.tenants import tokens
from service.tenants.stores import NewStore, create_store
from tests.end_to_end import curl
from tests.processes import installed

PAGE = Path(__file__).parents[2] / "docs" / "imports.md"
BETWEEN = "----- next block -----"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A folder with a `curl` that is ours, for machines that have none."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "curl"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(curl.__file__)} "$@"\n')
    script.chmod(0o755)
    return folder


async def test_every_command_of_the_page_does_what_it_says(on_sqlite: Settings, page: str, stand_in: Path):
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    async with installed(on_sqlite.data_dir) as site:
        async with site.opened() as ctx:
            await create_store(ctx, NewStore(slug="corner"))
            scopes = [Scope.FEED, Scope.PRODUCTS_WRITE]
            site.environ["TOKEN"] = (await tokens.issue(ctx, "corner", "files", scopes=scopes)).token
        await site.start("valkey", "api", "worker")
        await site.ready()
        if shutil.which("curl") is None:
            site.environ["PATH"] += f":{stand_in}"
        script = f"\necho '{BETWEEN}'\n".join(["set -eu", *blocks]).replace("8080", str(site.port))
        ended = await site.execute("sh", "-c", script)
        assert ended.code == 0, ended.err
    _set_up, _asked, sent, looked, parts, errors = (out.strip() for out in ended.out.split(BETWEEN)[1:])
    assert '"status":"processing"' in sent
    done, found = documents(looked)
    assert (done["detected"]["format"], done["detected"]["decimal"]["price"]) == ("generic", ",")
    assert (found["summary"]["created"], found["summary"]["rejected"], len(found["data"])) == (2, 1, 2)
    assert '"reference":"nightly"' in parts
    (refused,) = documents(errors)[0]["data"]
    assert refused["detail"].startswith('Line 4: "viel" is not a price.')


def documents(text: str) -> list:
    """JSON documents, one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def test_the_page_names_every_format_and_every_reason_that_only_files_know(page: str):
    assert set(bundled()) <= set(re.findall(r"`([a-z-]+)`", page.split("## Formats")[1]))
    of_the_feed = {Fault.NOT_JSON, Fault.REQUIRED}
    assert {str(fault) for fault in Fault if fault not in of_the_feed} <= set(
        re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    )
