"""One whole real store, from its file to the glass, judged by a reading of the file that is not ours."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import pytest
import zxingcpp
from PIL import Image

from display_drivers.base import Frame
from display_drivers.simulator.remote import Remote
from service.core.faces import Face, SlotFace
from service.rendering import render
from service.rendering.shipped import shipped
from tests.end_to_end import konzum
from tests.end_to_end.konzum import UNITS, by_barcode, cents, name_on_the_shelf, price_on_the_shelf, read, write
from tests.processes import installed

pytestmark = [pytest.mark.feeds, pytest.mark.timeout(300)]

GATEWAYS = 4
SPEED = 200
ROWS_REJECTED = 4
"""The exit code of `shelfcast push` when every display is proven, and some rows are not in the store."""


@dataclass
class Shop:
    """A store, the file that it gets, and what its displays are bound to (address -> barcode)."""

    site: object
    remote: Remote
    token: str
    shows: dict[str, str]

    async def push(self, file, *, code=ROWS_REJECTED):
        """The last status, and the rejected rows as `push` writes them down."""
        rejected = self.site.folder / "rejected.csv"
        command = ("push", str(file), "--mapping", "konzum", "--json", "--rejected", str(rejected))
        address = {"SHELFCAST_URL": self.site.url, "SHELFCAST_TOKEN": self.token}
        ended = await self.site.run(*command, "--poll-interval", "0.2", within=200, **address)
        assert ended.code == code, ended.err
        return json.loads(ended.out), read(rejected)

    async def glass(self):
        """Address -> what is to be seen there."""
        return {address: seen.face for address, seen in (await self.remote.glass(content=True)).items()}

    async def work(self):
        """What hardware was ever asked to do: pushes that came, and refreshes by display."""
        stats = await self.remote.stats()
        refreshes = {address: seen.refreshes for address, seen in (await self.remote.glass()).items()}
        assert stats.violations == []
        return sum(gateway.counts.get("pushes", 0) for gateway in stats.gateways), refreshes


@asynccontextmanager
async def opened(folder, barcodes, *, panels=("296x128-BWR",), **behaviour):
    """A served store, set up by the commands that an operator would use, with a display for each of these products."""
    async with installed(folder) as site:
        ready = await site.simulator(
            displays=len(barcodes), gateways=GATEWAYS, panels=",".join(panels), time_scale=SPEED, **behaviour
        )
        await site.start("serve")
        async with Remote(ready.control) as remote:
            await site.ready()
            await said(
                site, "store", "create", "s0901", "--currency", "EUR", "--timezone", "Europe/Zagreb", "--locale=hr"
            )
            token = await said(site, "token", "create", "--store", "s0901", "--name", "POS")
            for name, url in ready.gateways.items():
                await said(site, "gateway", "add", "s0901", name, "--driver", "simulator", "--set", f"url={url}")
            seen = list((await remote.glass()).values())
            shows = {one.address: code for one, code in zip(seen, barcodes, strict=True)}
            rows = [[one.address, one.gateway, one.panel.panel.name, shows[one.address]] for one in seen]
            write(folder / "displays.csv", ["address", "gateway", "panel", "barcode"], rows)
            await said(site, "display", "import", str(folder / "displays.csv"), "--store", "s0901")
            yield Shop(site, remote, token, shows)


async def said(site, *command):
    ended = await site.run(*command)
    assert ended.code == 0, ended.err
    return ended.out.strip()


@pytest.fixture(scope="module")
def file():
    return konzum.file("0901")


async def assert_shelf_says(shop, rows):
    """Every display shows the name and the price that the file has for its product."""
    wanted = by_barcode(rows)
    said = {address: (wanted[code]["Barcode"], *promise(wanted[code])) for address, code in shop.shows.items()}
    glass = {address: face and face.content["slots"][0] for address, face in (await shop.glass()).items()}
    assert {address: (slot["barcode"], slot["name"], slot["price"]) for address, slot in glass.items() if slot} == said


def promise(row):
    return name_on_the_shelf(row), price_on_the_shelf(row)


def assert_all_proven(status, count):
    tags = [status[f"tags{name}"] for name in ("Total", "Sent", "Confirmed", "Failed", "Superseded", "Pending")]
    assert (status["status"], tags) == ("completed", [count, count, count, 0, 0, 0])
    assert status["proof"] == {"displayed": count, "delivered": 0, "accepted": 0}


def with_other_prices(rows, every):
    """The file a day later: each `every`th product costs 10 cents more; the rows, and the barcodes of those."""
    changed = set(list(by_barcode(rows))[::every])
    column = {code: "SpecialPrice" if row["SpecialPrice"] else "Price" for code, row in by_barcode(rows).items()}
    later = [
        row | {column[code]: str(Decimal(row[column[code]]) + Decimal("0.10"))}
        if (code := row["Barcode"]) in changed
        else row
        for row in rows
    ]
    return later, changed


async def test_a_whole_store_is_proven_then_nothing_is_pushed_then_exactly_what_changed(tmp_path, file):
    rows = read(file)
    barcodes = list(by_barcode(rows))
    async with opened(tmp_path, barcodes, takes="data", max_batch=500) as shop:
        status, rejected = await shop.push(file)
        assert status["productsReceived"] == status["productsCreated"] == len(barcodes) == 6675
        assert_all_proven(status, len(barcodes))
        await assert_shelf_says(shop, rows)
        without = [number for number, row in enumerate(rows, start=2) if not row["Barcode"]]
        assert [(int(row["line"]), row["field"], row["code"]) for row in rejected] == [
            (number, "barcode", "required") for number in without
        ]
        assert all("barcode" in row["detail"] for row in rejected)

        before = await shop.work()
        assert set(before[1].values()) == {1}, "a display was refreshed more than once"
        status, _ = await shop.push(file)
        assert status["productsUnchanged"] == len(barcodes)
        assert_all_proven(status, 0)
        assert await shop.work() == before

        later, changed = with_other_prices(rows, every=100)
        write(tmp_path / "later.csv", rows[0], [row.values() for row in later])
        status, _ = await shop.push(tmp_path / "later.csv")
        assert status["productsUpdated"] == len(changed) == 67
        assert_all_proven(status, len(changed))
        await assert_shelf_says(shop, later)
        _, refreshes = await shop.work()
        assert {shop.shows[address] for address, count in refreshes.items() if count == 2} == changed
        assert set(refreshes.values()) == {1, 2}


async def test_frames_show_the_bars_of_their_product_and_exactly_its_face(tmp_path, file):
    rows = read(file)
    barcodes = list(by_barcode(rows))[::40]
    async with opened(tmp_path, barcodes, takes="frame", panels=("296x128-BWR", "400x300-BWR")) as shop:
        status, _ = await shop.push(file)
        assert status["productsCreated"] == 6675
        assert_all_proven(status, len(barcodes))
        wanted = by_barcode(rows)
        for address, frame in (await shop.glass()).items():
            row = wanted[shop.shows[address]]
            assert scanned(frame).removeprefix("0") == row["Barcode"].removeprefix("0")
            assert frame == render(face_of(row, frame.panel), shipped("price")), row


def scanned(frame: Frame):
    """What a till's scanner reads from this glass; a UPC-A is an EAN-13 with a leading zero."""
    grey = frame.pixels.translate(INKS_AS_GREY)
    picture = Image.frombytes("L", (frame.panel.width, frame.panel.height), grey)
    found = zxingcpp.read_barcode(picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.NEAREST))
    return found and found.text


INKS_AS_GREY = bytes([0, 255, 0, 0]).ljust(256, b"\0")


def face_of(row, panel):
    """The face of a row, made of nothing but what the file says."""
    name, price = promise(row)
    slot = SlotFace(
        barcode=row["Barcode"],
        name=name,
        currency="EUR",
        price=price,
        on_sale=bool(row["SpecialPrice"]),
        look="sale" if row["SpecialPrice"] else "regular",
        unit_price=cents(row["UnitPrice"]),
        unit_price_unit=UNITS[row["Quantity"].split()[-1]],
    )
    template = shipped("price")
    return Face(panel, "price", template.version, "hr", (slot,), template.digest)
