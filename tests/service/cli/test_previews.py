import asyncio
from pathlib import Path

import pytest

from service import feed
from service.context import opened
from service.settings import Settings
from service.tenants import stores, tokens
from service.tenants.stores import NewStore
from tests.service.cli.conftest import Shelfcast
from tests.shop import authenticate, milk, raw

PNG = b"\x89PNG\r\n"


@pytest.fixture
def zagreb(shelfcast: Shelfcast, on_sqlite: Settings) -> Shelfcast:
    """A store that sells milk."""

    async def furnish() -> None:
        async with opened(on_sqlite) as ctx:
            await stores.create_store(ctx, NewStore(slug="zagreb", sandbox=True))
            caller = await authenticate(ctx, (await tokens.issue(ctx, "zagreb", "pos")).token)
            await feed.change(ctx, caller, "whole", [raw(milk())])

    asyncio.run(furnish())
    return shelfcast


def test_a_products_label_is_written_to_a_file(zagreb: Shelfcast, tmp_path: Path):
    file = tmp_path / "label.png"
    result = zagreb("preview", "--store", "zagreb", "--product", milk()["barcode"], "--out", file)
    assert (result.exit_code, "Written" in result.stderr) == (0, True)
    assert file.read_bytes().startswith(PNG)


def test_without_a_file_it_goes_to_standard_output(zagreb: Shelfcast):
    result = zagreb("preview", "--store", "zagreb", "--product", milk()["barcode"], "--panel", "400x300-BW")
    assert (result.exit_code, result.stdout_bytes.startswith(PNG)) == (0, True)


@pytest.mark.parametrize("asked", [[], ["--product", "1", "--display", "2"]])
def test_it_is_a_product_or_a_display(zagreb: Shelfcast, asked: list[str]):
    assert zagreb("preview", "--store", "zagreb", *asked).exit_code == 2


def test_what_is_not_there_is_named(zagreb: Shelfcast):
    result = zagreb("preview", "--store", "zagreb", "--display", "SIM9")
    assert (result.exit_code, "no display SIM9" in result.stderr) == (1, True)
