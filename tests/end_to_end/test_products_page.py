"""The commands of docs/products.md, word by word and in their order, on a store of their own."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

from service.core.scopes import Scope
from service.tenants import stores, tokens
from tests.end_to_end import curl
from tests.processes import installed

PAGE = Path(__file__).parents[2] / "docs" / "products.md"
BETWEEN = "----- next command -----"


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [command for block in blocks for command in re.split(r"\n+(?=curl )", block.strip())]


async def test_every_command_of_the_page_does_what_it_says(tmp_path: Path):
    async with installed(tmp_path, settings={}) as site:
        if shutil.which("curl") is None:
            stand_in = tmp_path / "curl"
            stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(curl.__file__)} "$@"\n')
            stand_in.chmod(0o755)
            site.environ["PATH"] += f":{tmp_path}"
        await site.start("serve")
        await site.ready()
        async with site.opened() as ctx:
            await stores.create_store(ctx, stores.NewStore(slug="zagreb-0901"))
            scopes = (Scope.FEED, Scope.PRODUCTS_WRITE)
            token = (await tokens.issue(ctx, "zagreb-0901", "office", scopes=scopes)).token
        script = f"\necho '\n{BETWEEN}'\n".join(["set -eu", *commands()])
        ended = await site.execute("sh", "-c", script, API=f"{site.url}/api/v1", TOKEN=token)
        assert ended.code == 0, ended.err
        said = [json.loads(out) if out.strip() else None for out in ended.out.split(BETWEEN)[1:]]
    made, found, changed, archived, restored, stated, adjusted, listed, prices, changes, shown, _prices, *files = said
    assert (made["outcome"], found["barcode"], found["now"]["unitPrice"]) == ("created", "A/17", "19.90")
    assert (changed["product"]["price"], archived["outcome"], restored["outcome"]) == ("1.89", "archived", "restored")
    assert (stated["stock"], adjusted["before"], adjusted["stock"]) == ("12.5", "12.5", "10")
    assert [one["barcode"] for one in listed["data"]] == ["A/17"]
    assert [one["cause"] for one in prices["data"]] == ["restore", "archive", "update", "add"]
    assert [one["cause"] for one in changes["data"]] == ["stock", "stock", "restore", "archive", "update"]
    assert (shown["data"], files) == ([], [None, None])
    exported = (tmp_path / "products.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in exported] == ["barcode", "A/17"]
    assert json.loads((tmp_path / "products.ndjson").read_text(encoding="utf-8"))["stock"] == "10"
