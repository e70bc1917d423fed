"""A real store's file on labels of three OpenEPaperLink access points, with a reboot of one in the middle.

75 labels, or with WHOLE_STORE=1 the 600 that three access points have, which takes minutes.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from display_drivers.base import Panel
from service.core.faces import plan_face
from service.core.merging import merge
from service.core.product import StoreFacts
from service.core.rows import parse_rows
from service.gateways import gateway_setup
from service.rendering import render
from service.rendering.shipped import shipped
from service.shelves import floor
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.end_to_end import konzum
from tests.end_to_end.shelf import Pos
from tests.processes import SWIFT, installed

pytestmark = [pytest.mark.feeds, pytest.mark.timeout(300)]

PANEL = Panel(296, 128)
POINTS, SPEED = 3, 60
TAGS = 200 if os.environ.get("WHOLE_STORE") == "1" else 25
FACTS = StoreFacts("EUR", "Europe/Zagreb", "hr")
DRIVER = {"pace": "0.01", "settle": "0.5", "patience": "8"}


def mac(point: int, number: int) -> str:
    return f"{0x210_0000_0000 + point * 0x10000 + number:016X}"


@asynccontextmanager
async def access_points(site):
    """Three processes; (url, control) of each."""
    found = []
    for point in range(POINTS):
        flags = ("--tags", TAGS, "--types", "01", "--speed", SPEED, "--port", 0, "--control-port", 0, "--seed", point)
        more = ("--first-mac", mac(point, 0), "--stopsleep", 0, "--no-nightly-reboot", "--maxsleep", 2)
        command = (sys.executable, "-m", "display_drivers.openepaperlink.accesspoint", *map(str, (*flags, *more)))
        process = await site._spawn(f"point-{point}", *command, stdout=asyncio.subprocess.PIPE)
        site.running[f"point-{point}"] = process
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        found.append(msgspec.json.decode(line))
    yield [(point["url"], point["control"]) for point in found]


async def furnish(ctx, points, shows):
    await stores.create_store(ctx, NewStore(slug="oepl", currency="EUR", timezone="Europe/Zagreb", locale="hr"))
    lines = []
    for point, (url, _) in enumerate(points):
        await gateway_setup.add_to(ctx, "oepl", f"ap-{point}", "openepaperlink", {"url": url} | DRIVER)
        lines += [
            {"address": address, "gateway": f"ap-{point}", "panel": PANEL.name, "barcode": barcode}
            for address, barcode in shows.items()
            if address.startswith(mac(point, 0)[:12])
        ]
    report = await floor.import_displays(ctx, "oepl", enumerate(lines), by="test")
    assert report.refused == []
    return (await tokens.issue(ctx, "oepl", "POS")).token


def label(key, row, now):
    """What the file says of a product, as pixels."""
    raw = msgspec.Raw(msgspec.json.encode(konzum.product(key, row)))
    product = merge(None, parse_rows([raw], "whole", FACTS).rows[0], FACTS)
    return render(plan_face({0: product}, PANEL, shipped("price"), FACTS, now), shipped("price"))


async def test_a_real_store_is_on_its_labels_though_an_access_point_restarts(on_sqlite):
    rows = konzum.by_key(konzum.read(konzum.file("0901")))
    keys = list(rows)[:: len(rows) // (POINTS * TAGS)][: POINTS * TAGS]
    addresses = [mac(point, number) for point in range(POINTS) for number in range(TAGS)]
    shows = dict(zip(addresses, keys, strict=True))
    settings = SWIFT | {"poll_every": 1.0, "verify_for": 200}
    async with installed(on_sqlite.data_dir, settings=settings) as site, access_points(site) as points:
        await site.start("valkey")
        async with site.opened() as ctx:
            token = await furnish(ctx, points, shows)
        await site.start("api", "worker-1")
        await site.ready()
        async with httpx.AsyncClient(base_url=site.url, headers={"authorization": f"Bearer {token}"}) as client:
            pos = Pos(client, look_every=0.5)
            session_id = await pos.feed([konzum.product(key, row) for key, row in rows.items()])
            await pos.until(session_id, lambda status: status["tagsConfirmed"] > POINTS * TAGS // 3, within=150)
            await control(points[1][1], "faults", reboot=True)
            status = await pos.until(session_id, lambda status: status["tagsConfirmed"] == len(shows), within=200)
        assert (status["tagsTotal"], status["proof"]["delivered"]) == (len(shows), len(shows))
        await judge(points, shows, rows)


async def judge(points, shows, rows):
    """Every glass, pixel for pixel, and never two uploads at once."""
    now = 1_797_000_000_000
    for _, url in points:
        state = await control(url, "state")
        assert state["overlappingUploads"] == 0
        for tag in await control(url, "tags"):
            glass = await control(url, f"tags/{tag['mac']}/glass")
            wanted = label(shows[tag["mac"]], rows[shows[tag["mac"]]], now)
            assert seen(glass["colours"]) == wanted.pixels, tag["mac"]


def seen(colours: str) -> bytes:
    return colours.encode().translate(bytes.maketrans(b"KWR", b"\0\1\2"))


async def control(url, path, **body):
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        answer = await (client.post(f"/{path}", json=body) if body else client.get(f"/{path}"))
        answer.raise_for_status()
        return answer.json()
